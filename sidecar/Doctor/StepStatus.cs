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
