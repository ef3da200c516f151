using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.ReflectionV1;

/// <summary>
/// The Reflection API v1 door in time: it is shown to the Genkit CLI once the application answers, and closed once the runs have ended.
/// </summary>
internal sealed class ReflectionV1Door(
    SidecarSettings settings,
    OpenDoors doors,
    ReflectionV1Listener listener,
    ReflectionV1Status status,
    RuntimeFile file,
    GrpcApplication application,
    ApplicationStart applicationStart,
    ActiveRuns runs,
    TraceExporter traces,
    TimeProvider time) : BackgroundService
{
    /// <summary>Time for the last answers. What they leave of it is for the last traces, if no other door is to send them.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(1);

    /// <summary>Of it, for callers that do not read.</summary>
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromMilliseconds(250);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        file.Delete();
        await runs.DrainAsync(settings.DrainTimeout);

        using var farewell = new CancellationTokenSource(s_farewell, time);
        await runs.StopAsync();
        using var close = new CancellationTokenSource(s_closeLimit, time);
        await listener.CloseAsync(close.Token);
        if (!doors.ReflectionV2)
        {
            await traces.DrainAsync(farewell.Token);
        }
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
