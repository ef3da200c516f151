namespace Genkit.Sidecar.Doctor;

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
