using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>What may be said of a retriever, an indexer or a reranker.</summary>
public record LabelledOptions
{
    /// <summary>What the action does, for people; without, the <c>[Description]</c> of its handler.</summary>
    public string? Description { get; init; }

    /// <summary>Name in the Dev UI; without, the action's own.</summary>
    public string? Label { get; init; }

    /// <summary>JSON Schema of the options that a request may have, for the Dev UI's form: <see cref="Schema.Of{T}(System.Text.Json.JsonSerializerOptions)"/>.</summary>
    public JsonObject? ConfigSchema { get; init; }

    /// <summary>More for Genkit's tools.</summary>
    public JsonObject? Metadata { get; init; }
}
