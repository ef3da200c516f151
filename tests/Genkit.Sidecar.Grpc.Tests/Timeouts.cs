namespace Genkit.Sidecar.GrpcClient.Tests;

internal static class Timeouts
{
    /// <summary>How long a test waits for an event. Only a failing test waits this long.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(60);
}
