using System.Text;
using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects that a run succeeds: <c>{"result": EXPECTATION}</c>; with <c>"inTrace": true</c>, that a traceparent of the run's own trace is in the result.</summary>
internal sealed class ResultStep(Members members) : UpdateStep(members, "the result")
{
    private readonly Expectation _expectation = Expectation.Parse(members.Require("result"));
    private readonly bool _isInTrace = members.TakeFlag("inTrace");

    protected override string? Fault(Update update, CaseContext context, int index) =>
        update is Update.Result result ? _expectation.Fault(result.Json, context.Values(index)) ?? TraceFault(result) : "";

    private string? TraceFault(Update.Result result)
    {
        var text = Encoding.UTF8.GetString(result.Json ?? []);
        return _isInTrace && !text.Contains($"\"00-{result.TraceId}-", StringComparison.Ordinal) ? $"has no traceparent of the run's trace {result.TraceId}: {text}" : null;
    }
}
