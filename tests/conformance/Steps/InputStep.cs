using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Sends chunks of input: <c>{"send": PAYLOAD, "times": 3}</c>.</summary>
internal sealed class InputStep(Members members) : IStep
{
    private readonly Payload _chunk = Payload.Parse(members.Require("send"));
    private readonly string _to = members.TakeText("to") ?? "run";
    private readonly int _times = members.TakeCount("times", 1);

    public bool IsOfApplicationAlone => false;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        foreach (var run in context.Runs(_to))
        {
            for (var i = 0; i < _times; i++)
            {
                await run.SendAsync(_chunk.Build(context.Values(i)), cancellationToken);
            }
        }
    }
}
