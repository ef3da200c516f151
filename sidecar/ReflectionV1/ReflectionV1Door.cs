using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.ReflectionV1;

/// <summary>The Reflection API v1 door as the Genkit CLI sees it: there once the application answers, and gone as soon as the sidecar stops.</summary>
internal sealed class ReflectionV1Door(
    RuntimeSettings settings, ReflectionV1Status status, RuntimeFile file, GrpcApplication application, ApplicationStart applicationStart) : BackgroundService
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

        await applicationStart.WaitAsync(stoppingToken);
        file.Write(RuntimeDescription.Of(settings, application.Info), address);
    }
}
