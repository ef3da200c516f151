using System.Text.Json.Serialization;

namespace StreamingQuery;

/// <summary>Input of the flow.</summary>
/// <param name="Text">The question.</param>
/// <param name="ConversationId">Id from an earlier start event. A new conversation starts if it is absent.</param>
internal sealed record Query([property: JsonPropertyName("query")] string Text, string? ConversationId = null);
