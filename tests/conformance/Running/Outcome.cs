using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>What became of a case, and why.</summary>
/// <param name="Case">The case.</param>
/// <param name="Verdict">What became of it.</param>
/// <param name="Reason">Why it failed, was skipped or was not run; null if it passed.</param>
/// <param name="Step">The text of the step that failed, where one did.</param>
/// <param name="Took">How long it took.</param>
/// <param name="KnownReason">What the list of known failures says.</param>
internal sealed record Outcome(Case Case, Verdict Verdict, string? Reason, string? Step, TimeSpan Took, string? KnownReason = null)
{
    /// <summary>Whether it fails the run.</summary>
    public bool IsBad => Verdict is Verdict.Failed or Verdict.UnexpectedPass or Verdict.NotRun;

    /// <summary>The same in the light of the list of known failures.</summary>
    public Outcome Known(string reason) => Verdict switch
    {
        Verdict.Failed => this with { Verdict = Verdict.KnownFailure, KnownReason = reason },
        Verdict.Passed => this with { Verdict = Verdict.UnexpectedPass, KnownReason = reason, Reason = "it passes: take it off the list of known failures" },
        _ => this,
    };
}
