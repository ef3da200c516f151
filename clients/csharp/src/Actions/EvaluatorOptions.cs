using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>Options of an evaluator. The description defaults to the definition.</summary>
public record EvaluatorOptions
{
    /// <summary>What the action does, for people.</summary>
    public string? Description { get; init; }

    /// <summary>Name in the Dev UI. Defaults to the name of the action.</summary>
    public string? DisplayName { get; init; }

    /// <summary>What the evaluator measures.</summary>
    public string Definition { get; init; } = "";

    /// <summary>Whether an evaluation costs money, in which case the CLI asks for confirmation.</summary>
    public bool IsBilled { get; init; }

    /// <summary>Additional metadata for Genkit's tools.</summary>
    public JsonObject? Metadata { get; init; }
}
