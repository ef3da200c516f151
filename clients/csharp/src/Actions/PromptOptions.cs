using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>Options of a prompt.</summary>
public record PromptOptions
{
    /// <summary>What the prompt is for. Defaults to the <c>[Description]</c> of the handler.</summary>
    public string? Description { get; init; }

    /// <summary>Name of the model that the prompt is meant for.</summary>
    public string? Model { get; init; }

    /// <summary>Configuration of the model.</summary>
    public JsonObject? Config { get; init; }

    /// <summary>JSON Schema of the variables. Defaults to the schema of the handler's type.</summary>
    public JsonObject? InputSchema { get; init; }

    /// <summary>Default values of the variables, with which the Dev UI starts.</summary>
    public JsonNode? InputDefault { get; init; }

    /// <summary>Names of the tools that the model may call.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];

    /// <summary>Additional metadata for Genkit's tools.</summary>
    public JsonObject? Metadata { get; init; }
}
