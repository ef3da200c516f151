using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>What may be said of an action beside its type, its name and its handler.</summary>
public record ActionOptions
{
    /// <summary>What the action does, for people and models; without, the <c>[Description]</c> of its handler.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema (draft-07) of the input, or of one input chunk, in place of the one of the handler's type. It is listed and not checked.</summary>
    public JsonObject? InputSchema { get; init; }

    /// <summary>JSON Schema (draft-07) of the result, in place of the one of the handler's type. It is listed and not checked.</summary>
    public JsonObject? OutputSchema { get; init; }

    /// <summary>JSON Schema (draft-07) of one chunk of output, in place of the one of what the handler enumerates. It is listed and not checked.</summary>
    public JsonObject? StreamSchema { get; init; }

    /// <summary>What Genkit's tools know of the action's type.</summary>
    public JsonObject? Metadata { get; init; }
}
