namespace Genkit.Sidecar.Tests.Infrastructure;

/// <summary>How long a test waits for what must come. Never how long something takes.</summary>
internal static class Timeouts
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(60);
}
