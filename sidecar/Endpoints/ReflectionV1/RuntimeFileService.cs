using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>Writes the runtime file, by which the Genkit CLI finds Reflection API v1, once the application answers, and deletes it as soon as the sidecar stops.</summary>
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
