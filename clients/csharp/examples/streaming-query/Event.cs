using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace StreamingQuery;

/// <summary>One event of an answer, which is what the flow streams. It is known by its member <c>event</c>.</summary>
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

/// <summary>The run has begun. Always first; the id continues the conversation.</summary>
internal sealed record StartEvent(string ConversationId) : Event;

/// <summary>What a safety check said of the question or the answer.</summary>
internal sealed record ShieldEvent(string Name, ShieldVerdict Verdict, string? Reason) : Event;

/// <summary>The next piece of the answer's text.</summary>
internal sealed record TokenEvent(string Text) : Event;

/// <summary>The agent calls a tool; its result has the same id.</summary>
internal sealed record ToolCallEvent(string Id, string Name, JsonObject Arguments) : Event;

/// <summary>What a tool answered.</summary>
internal sealed record ToolResultEvent(string Id, ToolStatus Status, string Content) : Event;

/// <summary>The whole text of a turn, whose tokens have all come.</summary>
internal sealed record TurnCompleteEvent(string Text) : Event;

/// <summary>Nothing has happened for a while, and the run goes on.</summary>
internal sealed record HeartbeatEvent : Event;

/// <summary>The run has failed, and its error has this code and message. Always last.</summary>
internal sealed record ErrorEvent(int Code, string Message) : Event;

/// <summary>The run has succeeded. Always last, and the flow's result, which is why it says what it is by itself, too.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(EndEvent), "end")]
internal record EndEvent(IReadOnlyList<Document> ReferencedDocuments, TokenUsage Usage, bool Truncated, IReadOnlyDictionary<string, long> AvailableQuotas) : Event;

/// <summary>What the answer relies on.</summary>
internal sealed record Document(string Url, string Title);

/// <summary>What the answer cost, in tokens.</summary>
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
