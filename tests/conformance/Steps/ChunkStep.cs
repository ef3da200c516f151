using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects chunks: <c>{"chunk": EXPECTATION, "times": 3}</c>.</summary>
internal sealed class ChunkStep(Members members) : UpdateStep(members, "the chunk")
{
    private readonly Expectation _expectation = Expectation.Parse(members.Require("chunk"));

    protected override string? Fault(Update update, CaseContext context, int index) =>
        update is Update.Chunk chunk ? _expectation.Fault(chunk.Json, context.Values(index)) : "";
}
