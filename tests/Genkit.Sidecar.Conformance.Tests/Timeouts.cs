namespace Genkit.Sidecar.Conformance.Tests;

internal static class Timeouts
{
    /// <summary>What nothing that works comes near.</summary>
    public static TimeSpan Default { get; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a case waits for what a wrong application never sends. A loaded machine makes a case fail the sooner, which is what is expected.</summary>
    public static TimeSpan Hang { get; } = TimeSpan.FromSeconds(1);

    /// <summary>The same for the case that waits for a deadline first.</summary>
    public static TimeSpan HangBehindDeadline { get; } = TimeSpan.FromSeconds(9);
}
