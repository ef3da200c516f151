using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Expects the health of a service: <c>{"health": SERVICE, "is": ["Serving"]}</c>, a state or the name of a status; with <c>"watch": true</c>, as the first state of a watch.</summary>
internal sealed class HealthStep(Members members) : IStep
{
    private readonly string _service = members.RequireText("health");
    private readonly IReadOnlyList<string> _states = members.TakeTexts("is");
    private readonly bool _isWatch = members.TakeFlag("watch");

    public bool IsOfApplicationAlone => true;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        var application = (ApplicationSubject)context.Subject;
        var state = _isWatch
            ? await application.WatchHealthAsync(_service, cancellationToken)
            : await application.CheckHealthAsync(_service, cancellationToken);
        if (!_states.Contains(state))
        {
            throw new CaseFailure($"the health of '{_service}' is {state} instead of {string.Join(" or ", _states)}");
        }
    }
}
