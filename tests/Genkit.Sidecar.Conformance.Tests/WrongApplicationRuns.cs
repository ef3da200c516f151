using System.Collections.Concurrent;
using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Running;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>What became of the cases of each wrong application. Many of them wait for what never comes, so the applications run side by side.</summary>
public sealed class WrongApplicationRuns : IAsyncLifetime
{
    private const int SideBySide = 12;

    // Broken only where features are left out.
    private static readonly HashSet<string> s_optional = ["bidi", "values", "runtime-info", "configure", "health"];

    private readonly ConcurrentDictionary<string, IReadOnlyList<Outcome>> _outcomes = new();

    internal IReadOnlyDictionary<string, IReadOnlyList<Outcome>> Outcomes => _outcomes;

    public async ValueTask InitializeAsync() => await Parallel.ForEachAsync(
        WrongApplications.CasesByRule,
        new ParallelOptions { MaxDegreeOfParallelism = SideBySide, CancellationToken = TestContext.Current.CancellationToken },
        async (rule, _) => _outcomes[rule.Key] = await RunAsync(rule.Key, rule.Value));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Task<IReadOnlyList<Outcome>> RunAsync(string rule, IReadOnlyList<string> ids) => Cases.RunAsync(
        ids.Select(id => Cases.All.Single(one => one.Id == id)),
        RuleNames.All[rule],
        rule == "unoffered-is-internal" ? s_optional : new HashSet<string>(),
        rule == "ignores-deadlines" ? Timeouts.HangBehindDeadline : Timeouts.Hang);
}
