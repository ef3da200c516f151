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

    // They are found by waiting in vain. All others are to be found by what came.
    private static readonly HashSet<string> s_hanging =
    [
        "call-stays-open", "chunks-come-at-the-end", "echoes-at-the-end", "eight-runs-at-a-time", "first-waits-for-the-end", "hangs-without-input", "ignores-cancel",
        "ignores-cancel-of-bidi", "ignores-cancel-of-streams", "ignores-deadlines", "lists-behind-runs", "one-run-at-a-time", "watch-tells-nothing",
    ];

    private readonly ConcurrentDictionary<string, IReadOnlyList<Outcome>> _outcomes = new();

    internal IReadOnlyDictionary<string, IReadOnlyList<Outcome>> Outcomes => _outcomes;

    public async ValueTask InitializeAsync() => await Parallel.ForEachAsync(
        WrongApplications.CasesByRule,
        new ParallelOptions { MaxDegreeOfParallelism = SideBySide, CancellationToken = TestContext.Current.CancellationToken },
        async (rule, _) => _outcomes[rule.Key] = await RunAsync(rule.Key, rule.Value));

    public static bool Hangs(string rule) => s_hanging.Contains(rule);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Task<IReadOnlyList<Outcome>> RunAsync(string rule, IReadOnlyList<string> ids) => Cases.RunAsync(
        ids.Select(id => Cases.All.Single(one => one.Id == id)),
        RuleNames.All[rule],
        rule == "unoffered-is-internal" ? s_optional : new HashSet<string>(),
        rule == "ignores-deadlines" ? Timeouts.HangBehindDeadline : Hangs(rule) ? Timeouts.Hang : Timeouts.Default);
}
