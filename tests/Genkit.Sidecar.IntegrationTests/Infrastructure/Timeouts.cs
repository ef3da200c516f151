namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>How long a test waits for an event. Not a measure of how long anything takes.</summary>
internal static class Timeouts
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(60);

    public static Task InTimeAsync(this Task task) => task.WaitAsync(Default);

    public static Task<T> InTimeAsync<T>(this Task<T> task) => task.WaitAsync(Default);
}
