using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>What may be said of a prompt.</summary>
public record PromptOptions
{
    /// <summary>What the prompt is for; without, the <c>[Description]</c> of its handler.</summary>
    public string? Description { get; init; }

    /// <summary>The model that it is meant for.</summary>
    public string? Model { get; init; }

    /// <summary>Configuration of the model.</summary>
    public JsonObject? Config { get; init; }

    /// <summary>JSON Schema of its variables, in place of the one of the handler's type.</summary>
    public JsonObject? InputSchema { get; init; }

    /// <summary>Values of its variables that the Dev UI begins with.</summary>
    public JsonNode? InputDefault { get; init; }

    /// <summary>Names of its tools.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];

    /// <summary>More for Genkit's tools.</summary>
    public JsonObject? Metadata { get; init; }
}
