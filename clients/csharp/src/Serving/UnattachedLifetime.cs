using Microsoft.Extensions.Hosting;

namespace Genkit.Sidecar.Client;

/// <summary>A host lifetime that does not handle signals, because the server may be a small part of the process.</summary>
internal sealed class UnattachedLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
