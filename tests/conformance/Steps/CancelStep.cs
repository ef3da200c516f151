using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Cancels a run: <c>{"cancel": NAME}</c>.</summary>
internal sealed class CancelStep(Members members) : IStep
{
    private readonly string _of = members.RequireText("cancel");

    public bool IsOfApplicationAlone => false;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        foreach (var run in context.Runs(_of))
        {
            await run.CancelAsync(cancellationToken);
        }
    }
}
