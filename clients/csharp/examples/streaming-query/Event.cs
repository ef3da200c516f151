using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace StreamingQuery;

/// <summary>One event that the flow streams. The member <c>event</c> tells the types apart.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(StartEvent), "start")]
[JsonDerivedType(typeof(ShieldEvent), "shield")]
[JsonDerivedType(typeof(TokenEvent), "token")]
[JsonDerivedType(typeof(ToolCallEvent), "tool_call")]
[JsonDerivedType(typeof(ToolResultEvent), "tool_result")]
[JsonDerivedType(typeof(TurnCompleteEvent), "turn_complete")]
[JsonDerivedType(typeof(HeartbeatEvent), "heartbeat")]
[JsonDerivedType(typeof(ErrorEvent), "error")]
[JsonDerivedType(typeof(EndEvent), "end")]
internal abstract record Event;

/// <summary>The run has started. Always the first event. Send the id with the next question to continue the conversation.</summary>
internal sealed record StartEvent(string ConversationId) : Event;

/// <summary>The verdict of a safety check on the question or the answer.</summary>
internal sealed record ShieldEvent(string Name, ShieldVerdict Verdict, string? Reason) : Event;

/// <summary>The next piece of the answer's text.</summary>
internal sealed record TokenEvent(string Text) : Event;

/// <summary>The agent calls a tool. The tool's result has the same id.</summary>
internal sealed record ToolCallEvent(string Id, string Name, JsonObject Arguments) : Event;

/// <summary>The result of a tool call.</summary>
internal sealed record ToolResultEvent(string Id, ToolStatus Status, string Content) : Event;

/// <summary>The complete text of a turn. Follows the last token of the turn.</summary>
internal sealed record TurnCompleteEvent(string Text) : Event;

/// <summary>The run is still active, although no other event has occurred for a while.</summary>
internal sealed record HeartbeatEvent : Event;

/// <summary>The run has failed. Always the last event. The error of the run has the same code and message.</summary>
internal sealed record ErrorEvent(int Code, string Message) : Event;

/// <summary>The run has succeeded. Always the last event, and also the result of the flow. It therefore declares its own type discriminator.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(EndEvent), "end")]
internal record EndEvent(IReadOnlyList<Document> ReferencedDocuments, TokenUsage Usage, bool Truncated, IReadOnlyDictionary<string, long> AvailableQuotas) : Event;

/// <summary>A document that the answer refers to.</summary>
internal sealed record Document(string Url, string Title);

/// <summary>Number of tokens that the answer used.</summary>
internal sealed record TokenUsage(long InputTokens, long OutputTokens);

internal enum ShieldVerdict
{
    Passed,
    Blocked,
}

internal enum ToolStatus
{
    Success,
    Failure,
}
