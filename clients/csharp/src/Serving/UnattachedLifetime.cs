using Microsoft.Extensions.Hosting;

namespace Genkit.Sidecar.Client;

/// <summary>A host that listens to no signals: those are the process's, of which this server may be a small part.</summary>
internal sealed class UnattachedLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
