namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

internal static class Timeouts
{
    /// <summary>How long a test waits for what should come at once; only a failing test waits this long.</summary>
    public static TimeSpan Default { get; } = TimeSpan.FromSeconds(60);
}
