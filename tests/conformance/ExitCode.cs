namespace Genkit.Sidecar.Conformance;

/// <summary>The exit codes that the usage documents.</summary>
internal static class ExitCode
{
    public const int Passed = 0;
    public const int Failed = 1;
    public const int NotStarted = 2;
    public const int Usage = 64;
    public const int Interrupted = 130;
}
