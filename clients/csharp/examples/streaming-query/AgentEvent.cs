using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace StreamingQuery;

/// <summary>An event as the agent sends it. The member <c>type</c> tells the types apart. Members that are not declared are ignored.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(GuardrailChecked), "guardrail.checked")]
[JsonDerivedType(typeof(MessageDelta), "message.delta")]
[JsonDerivedType(typeof(MessageCompleted), "message.completed")]
[JsonDerivedType(typeof(ToolStarted), "tool.started")]
[JsonDerivedType(typeof(ToolFinished), "tool.finished")]
[JsonDerivedType(typeof(RunFailed), "run.failed")]
[JsonDerivedType(typeof(RunCompleted), "run.completed")]
internal abstract record AgentEvent;

internal sealed record GuardrailChecked(string Guardrail, bool Flagged, string? Reason = null) : AgentEvent;

internal sealed record MessageDelta(string Text) : AgentEvent;

internal sealed record MessageCompleted(string Text) : AgentEvent;

internal sealed record ToolStarted(string Id, string Name, JsonObject Arguments) : AgentEvent;

internal sealed record ToolFinished(string Id, bool Ok, string Output) : AgentEvent;

internal sealed record RunFailed(string Code, string Message) : AgentEvent;

internal sealed record RunCompleted(
    AgentUsage Usage, IReadOnlyList<Document>? Documents = null, bool Truncated = false, IReadOnlyDictionary<string, long>? Quotas = null) : AgentEvent;

internal sealed record AgentUsage(long Input, long Output);
