namespace Genkit.Sidecar.Doctor;

/// <summary>One step of the path, examined.</summary>
/// <param name="Name">One of <see cref="StepName"/>.</param>
/// <param name="Tried">What was tried, worded for users.</param>
/// <param name="Finding">What came of it.</param>
/// <param name="Took">How long that took; zero if it was skipped.</param>
internal sealed record Step(string Name, string Tried, Finding Finding, TimeSpan Took);

/// <summary>What came of trying one step.</summary>
/// <param name="Status">How it went.</param>
/// <param name="Found">What came back, worded for users. Never a payload or a credential.</param>
/// <param name="Remedies">What to set or to type, the likeliest first; at least one for a warning and a failure.</param>
internal sealed record Finding(StepStatus Status, string Found, IReadOnlyList<string> Remedies)
{
    public static Finding Ok(string found) => new(StepStatus.Ok, found, []);

    public static Finding Warning(string found, params IReadOnlyList<string> remedies) => new(StepStatus.Warning, found, remedies);

    public static Finding Failed(string found, params IReadOnlyList<string> remedies) => new(StepStatus.Failed, found, remedies);

    public static Finding Skipped(string reason) => new(StepStatus.Skipped, reason, []);
}

internal enum StepStatus
{
    Ok,

    /// <summary>The way is open, and something about it will surprise.</summary>
    Warning,

    Failed,

    /// <summary>Not examined, for what it needs is not there.</summary>
    Skipped,
}

/// <summary>Statuses as both reports write them.</summary>
internal static class StepStatusName
{
    public static string Of(StepStatus status) => status switch
    {
        StepStatus.Ok => "ok",
        StepStatus.Warning => "warning",
        StepStatus.Failed => "failed",
        _ => "skipped",
    };
}
