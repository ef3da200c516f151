using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Runs cases against one source, and tells the reports, which hear of every case: of those too that could not be run.</summary>
internal sealed class Session(ISubjectSource source, Catalogue catalogue, IReadOnlySet<string> without, IReadOnlyDictionary<string, string> known, TimeSpan? timeout)
{
    private const string Interrupted = "interrupted";

    private readonly CaseRunner _runner = new(source.Connect, catalogue, without, timeout);

    // Why nothing more can be run; null while it can.
    private string? _end;

    /// <param name="cases">Cases that make sense in the source's way.</param>
    /// <param name="reports">Who is told.</param>
    /// <param name="cancellationToken">Interrupts: the case that runs, and all behind it, are not run.</param>
    /// <returns>The outcomes, in the order of the cases.</returns>
    public async Task<IReadOnlyList<Outcome>> RunAsync(IReadOnlyList<Case> cases, IReadOnlyList<IReport> reports, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        var outcomes = new List<Outcome>();
        foreach (var report in reports)
        {
            report.Start(source.Name, cases);
        }

        await TryAsync(() => source.StartAsync(cancellationToken), cancellationToken);
        foreach (var one in cases)
        {
            foreach (var report in reports)
            {
                report.CaseStarts(one);
            }

            var outcome = await RunAsync(one, cancellationToken);
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

    private async Task<Outcome> RunAsync(Case one, CancellationToken cancellationToken)
    {
        Outcome? outcome = null;
        if (_end is null)
        {
            await TryAsync(async () => outcome = await _runner.RunAsync(one, cancellationToken), cancellationToken);
        }

        // What is tested may have heard of Ctrl-C first.
        if (outcome is { Verdict: Verdict.Failed } && cancellationToken.IsCancellationRequested)
        {
            (outcome, _end) = (null, Interrupted);
        }

        if (outcome is null)
        {
            return new Outcome(one, Verdict.NotRun, _end, null, TimeSpan.Zero);
        }

        string? loss = null;
        var left = await TryAsync(async () => loss = await source.RecoverAsync(outcome.Verdict == Verdict.Failed, cancellationToken), cancellationToken);
        if ((loss ?? left) is { } reason)
        {
            outcome = outcome with { Verdict = Verdict.Failed, Reason = outcome.Reason is null ? reason : $"{outcome.Reason}; {reason}" };
        }

        return known.TryGetValue(one.Id, out var knownReason) ? outcome.Known(knownReason) : outcome;
    }

    /// <summary>Does what may end the session.</summary>
    /// <returns>Why what is tested is lost; null where it is not, or the session was interrupted.</returns>
    private async Task<string?> TryAsync(Func<Task> step, CancellationToken cancellationToken)
    {
        try
        {
            await step();
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _end = Interrupted;
            return null;
        }
        catch (StartFailure e)
        {
            return _end = e.Message;
        }
    }
}
