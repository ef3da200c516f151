namespace Genkit.Sidecar.Conformance.Running;

/// <summary>What became of a case.</summary>
internal enum Verdict
{
    Passed,

    Failed,

    /// <summary>It failed, and the list of known failures says so.</summary>
    KnownFailure,

    /// <summary>It passed, and the list of known failures says that it fails: the list is wrong, which fails the run.</summary>
    UnexpectedPass,

    /// <summary>The tested program could not be restarted, or the kit was interrupted. It fails the run, because the outcome is unknown.</summary>
    NotRun,

    /// <summary>It is about a feature that the application does not have, or about not having one that it has.</summary>
    Skipped,
}
