namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

internal static class Timeouts
{
    /// <summary>How long a test waits for an event. Only a failing test waits this long.</summary>
    public static TimeSpan Default { get; } = TimeSpan.FromSeconds(60);
}
