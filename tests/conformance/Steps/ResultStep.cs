using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects that a run succeeds: <c>{"result": EXPECTATION}</c>.</summary>
internal sealed class ResultStep(Members members) : UpdateStep(members, "the result")
{
    private readonly Expectation _expectation = Expectation.Parse(members.Require("result"));

    protected override string? Fault(Update update, CaseContext context, int index) =>
        update is Update.Result result ? _expectation.Fault(result.Json, context.Values(index)) : "";
}
