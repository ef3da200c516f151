namespace Genkit.Sidecar.Hosting;

/// <summary>
/// Leaves signals to the code that started the host. The default lifetime would stop the connections at the first SIGTERM, while the
/// application, which gets the signal first, still has results to send.
/// </summary>
internal sealed class ExternalHostLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
