using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects ActionState: <c>{"state": TRACE ID}</c>.</summary>
internal sealed class StateStep(Members members) : UpdateStep(members, "the state")
{
    private readonly string _traceId = members.RequireText("state");

    // A manager receives the sidecar's trace id instead.
    public override bool IsOfApplicationAlone => true;

    protected override string? Fault(Update update, CaseContext context, int index) =>
        update is Update.State state ? (state.TraceId == _traceId ? null : $"has the trace id {state.TraceId} instead of {_traceId}") : "";
}
