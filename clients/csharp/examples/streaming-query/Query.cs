using System.Text.Json.Serialization;

namespace StreamingQuery;

/// <summary>The flow's input.</summary>
/// <param name="Text">The question.</param>
/// <param name="ConversationId">Of an earlier answer's start; a new conversation where there is none.</param>
internal sealed record Query([property: JsonPropertyName("query")] string Text, string? ConversationId = null);
