namespace Genkit.Sidecar.Doctor;

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
