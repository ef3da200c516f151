namespace Genkit.Sidecar.Tests.Infrastructure;

/// <summary>How long a test waits for an event. Not a measure of how long anything takes.</summary>
internal static class Timeouts
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(60);
}
