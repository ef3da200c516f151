using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>Options of an action.</summary>
public record ActionOptions
{
    /// <summary>What the action does, for people and models. Defaults to the <c>[Description]</c> of the handler.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema (draft-07) of the input, or of one input chunk. Defaults to the schema of the handler's type. It is listed only; values are not validated.</summary>
    public JsonObject? InputSchema { get; init; }

    /// <summary>JSON Schema (draft-07) of the result. Defaults to the schema of the handler's type. It is listed only; values are not validated.</summary>
    public JsonObject? OutputSchema { get; init; }

    /// <summary>JSON Schema (draft-07) of one output chunk. Defaults to the schema of the items that the handler enumerates. It is listed only; chunks are not validated.</summary>
    public JsonObject? StreamSchema { get; init; }

    /// <summary>Metadata of the action type for Genkit's tools.</summary>
    public JsonObject? Metadata { get; init; }
}
