using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>The Reflection API v1 door as the Genkit CLI sees it: there once the application answers, and gone as soon as the sidecar stops.</summary>
internal sealed class RuntimeFileService(
    RuntimeSettings settings, ReflectionV1Status status, RuntimeFile file, ApplicationClient application, ApplicationReadiness readiness) : BackgroundService
{
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        file.Delete();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (status.Address is not { } address)
        {
            return;
        }

        await readiness.WaitAsync(stoppingToken);
        file.Write(RuntimeDescription.Of(settings, application.Info), address);
    }
}
