using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>What may be said of an evaluator. Its definition is its description where it has none.</summary>
public record EvaluatorOptions
{
    /// <summary>What the action does, for people.</summary>
    public string? Description { get; init; }

    /// <summary>Name in the Dev UI; without, the action's own.</summary>
    public string? DisplayName { get; init; }

    /// <summary>What it measures.</summary>
    public string Definition { get; init; } = "";

    /// <summary>Whether an evaluation costs money, about which the CLI asks.</summary>
    public bool IsBilled { get; init; }

    /// <summary>More for Genkit's tools.</summary>
    public JsonObject? Metadata { get; init; }
}
