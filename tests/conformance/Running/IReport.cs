using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Tells how the cases went.</summary>
internal interface IReport
{
    /// <param name="subject">What is tested, for people.</param>
    /// <param name="cases">What will be run.</param>
    void Start(string subject, IReadOnlyList<Case> cases);

    void CaseStarts(Case one);

    void CaseEnded(Outcome outcome);

    /// <param name="outcomes">All outcomes, in order.</param>
    /// <param name="took">How long all of it took.</param>
    void End(IReadOnlyList<Outcome> outcomes, TimeSpan took);
}
