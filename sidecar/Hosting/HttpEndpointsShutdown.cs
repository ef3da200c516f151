using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.FlowServer;
using Genkit.Sidecar.Endpoints.ReflectionV1;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Hosting;

/// <summary>
/// The end of the doors that answer over HTTP: runs have the time that <c>--drain-timeout</c> gives, callers hear how the others ended, and then
/// the doors are shut. A manager that is away gives runs no such time, so this is stopped before its door.
/// </summary>
internal sealed class HttpEndpointsShutdown(
    ProcessSettings settings,
    EnabledEndpoints enabled,
    ActiveRuns runs,
    TraceExporter traces,
    TimeProvider time,
    ReflectionV1Listener? reflectionV1 = null,
    FlowListener? flowServer = null) : IHostedService
{
    /// <summary>Time for the last answers. What they leave of it is for the last traces, if no other door is to send them.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(1.25);

    /// <summary>Of it, for the last words of cancelled runs. A run that waits for its caller to read a large payload has not ended by then.</summary>
    private static readonly TimeSpan s_endLimit = TimeSpan.FromMilliseconds(750);

    /// <summary>Of it, for callers that do not read.</summary>
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromMilliseconds(250);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await runs.DrainAsync(settings.DrainTimeout);

        using var farewell = new CancellationTokenSource(s_farewell, time);
        await Task.WhenAny(runs.StopAsync(), Task.Delay(s_endLimit, time, farewell.Token));
        using var close = new CancellationTokenSource(s_closeLimit, time);
        await Task.WhenAll(reflectionV1?.CloseAsync(close.Token) ?? Task.CompletedTask, flowServer?.CloseAsync(close.Token) ?? Task.CompletedTask);
        if (!enabled.ReflectionV2)
        {
            await traces.DrainAsync(farewell.Token);
        }
    }
}
