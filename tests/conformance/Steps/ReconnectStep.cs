using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Drops the connection with all its runs, like a sidecar that crashes, and opens a new one: <c>{"reconnect": true}</c>.</summary>
internal sealed class ReconnectStep : IStep
{
    public ReconnectStep(Members members) => members.Require("reconnect");

    public bool IsOfApplicationAlone => true;

    public Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        ((ApplicationSubject)context.Subject).Reconnect();
        return Task.CompletedTask;
    }
}
