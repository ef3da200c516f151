using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Runs cases against one source, and tells the reports.</summary>
internal sealed class Session(ISubjectSource source, Catalogue catalogue, IReadOnlySet<string> without, IReadOnlyDictionary<string, string> known, TimeSpan? timeout)
{
    /// <returns>The outcomes, in the order of the cases, without those that make no sense in the source's way.</returns>
    /// <exception cref="StartFailure">What is tested has ended, and does not start any more.</exception>
    public async Task<IReadOnlyList<Outcome>> RunAsync(IReadOnlyList<Case> cases, IReadOnlyList<IReport> reports, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        cases = [.. cases.Where(one => !one.NotIn.ContainsKey(source.Way))];
        var runner = new CaseRunner(source.Connect, catalogue, without, timeout);
        var outcomes = new List<Outcome>();
        foreach (var report in reports)
        {
            report.Start(source.Name, cases);
        }

        foreach (var one in cases)
        {
            foreach (var report in reports)
            {
                report.CaseStarts(one);
            }

            var outcome = await runner.RunAsync(one, cancellationToken);
            if (await source.RecoverAsync(outcome.Verdict == Verdict.Failed, cancellationToken) is { } end)
            {
                outcome = outcome with { Verdict = Verdict.Failed, Reason = outcome.Reason is null ? end : $"{outcome.Reason}; {end}" };
            }

            if (known.TryGetValue(one.Id, out var reason))
            {
                outcome = outcome.Known(reason);
            }

            outcomes.Add(outcome);
            foreach (var report in reports)
            {
                report.CaseEnded(outcome);
            }
        }

        foreach (var report in reports)
        {
            report.End(outcomes, TimeProvider.System.GetElapsedTime(start));
        }

        return outcomes;
    }
}
