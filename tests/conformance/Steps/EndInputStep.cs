using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Ends the input of a run: <c>{"endInput": NAME}</c>.</summary>
internal sealed class EndInputStep(Members members) : IStep
{
    private readonly string _of = members.RequireText("endInput");

    public bool IsOfApplicationAlone => false;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        foreach (var run in context.Runs(_of))
        {
            await run.EndInputAsync(cancellationToken);
        }
    }
}
