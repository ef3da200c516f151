namespace Genkit.Sidecar.Doctor;

/// <summary>What came of trying one step.</summary>
/// <param name="Status">How it went.</param>
/// <param name="Found">What came back, for people. Never a payload or a credential.</param>
/// <param name="Remedies">What to set or to type, the likeliest first; at least one for a warning and a failure.</param>
internal sealed record Finding(StepStatus Status, string Found, IReadOnlyList<string> Remedies)
{
    public static Finding Ok(string found) => new(StepStatus.Ok, found, []);

    public static Finding Warning(string found, params IReadOnlyList<string> remedies) => new(StepStatus.Warning, found, remedies);

    public static Finding Failed(string found, params IReadOnlyList<string> remedies) => new(StepStatus.Failed, found, remedies);

    public static Finding Skipped(string reason) => new(StepStatus.Skipped, reason, []);
}
