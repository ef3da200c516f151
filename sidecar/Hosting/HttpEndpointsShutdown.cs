using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.FlowServer;
using Genkit.Sidecar.Endpoints.ReflectionV1;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Hosting;

/// <summary>
/// Shuts down the HTTP endpoints: runs have the time that <c>--drain-timeout</c> gives, callers get the results of the others, and then
/// the listeners close. A disconnected manager gives runs no such time, so this stops before the connection to it.
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
    /// <summary>Time for the last answers. The rest of it is for the last traces, unless Reflection API v2 sends them.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(1.25);

    /// <summary>Part of it that is reserved for the final messages of cancelled runs. A run that waits for its caller to read a large payload has not ended by then.</summary>
    private static readonly TimeSpan s_endLimit = TimeSpan.FromMilliseconds(750);

    /// <summary>Part of it that is reserved for callers that do not read.</summary>
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
