namespace Genkit.Sidecar.Tests;

internal static class Timeouts
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(60);
}
