using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>Options of a retriever, an indexer or a reranker.</summary>
public record LabelledOptions
{
    /// <summary>What the action does, for people. Defaults to the <c>[Description]</c> of the handler.</summary>
    public string? Description { get; init; }

    /// <summary>Name in the Dev UI. Defaults to the name of the action.</summary>
    public string? Label { get; init; }

    /// <summary>JSON Schema of a request's options, for the form in the Dev UI. See <see cref="Schema.Of{T}(System.Text.Json.JsonSerializerOptions)"/>.</summary>
    public JsonObject? ConfigSchema { get; init; }

    /// <summary>Additional metadata for Genkit's tools.</summary>
    public JsonObject? Metadata { get; init; }
}
