namespace Genkit.Sidecar.Hosting;

/// <summary>
/// Leaves signals to the code that started the host. The default lifetime would stop the connections at the first SIGTERM, while the
/// application, which is told first, still has answers to give.
/// </summary>
internal sealed class ExternalHostLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
