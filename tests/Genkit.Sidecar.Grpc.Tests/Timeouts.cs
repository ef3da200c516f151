namespace Genkit.Sidecar.GrpcClient.Tests;

internal static class Timeouts
{
    /// <summary>How long a test waits for what must happen. Only a broken test reaches it.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(60);
}
