using System.Net;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>The listener of <c>--flow-server</c>: flows over HTTP, as Genkit's own flow servers offer them.</summary>
internal sealed partial class FlowListener(
    FlowServerSettings settings, FlowEndpoints endpoints, IHostApplicationLifetime lifetime, ILoggerFactory logs) : IAsyncDisposable
{
    /// <summary>Connections beyond one for each active request: for those that proxies keep open, and for requests that are refused because there are too many.</summary>
    private const int SpareConnections = 1024;

    private readonly ILogger _logger = logs.CreateLogger<FlowListener>();
    private readonly Lock _gate = new();

    /// <summary>Ends what is still being answered.</summary>
    private readonly CancellationTokenSource _now = new();
    private WebListener? _listener;
    private Task? _stopping;

    /// <summary>Where it listens, with the port that the system chose where 0 was given; null while it does not.</summary>
    public EndPoint? EndPoint => _listener?.EndPoint;

    /// <summary>Listens. False if it cannot; the log says why.</summary>
    public async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        var (socket, problem) = ListeningSocket.Open(settings.Address.EndPoint!);
        if (socket is null)
        {
            Log.Refused(_logger, settings.AddressSource, settings.Address, problem!);
            return false;
        }

        _listener = await WebListener.StartAsync(socket, SetLimits, endpoints.AddServices, endpoints.Map, logs, cancellationToken);

        // At once, so that a load balancer chooses another server while active requests end.
        lifetime.ApplicationStopping.Register(() => _ = StopAsync());
        Log.Listening(_logger, _listener.EndPoint, settings.PathPrefix);
        return true;
    }

    /// <summary>Lets the answers out that are under way, until <paramref name="now"/>. Connections have not been taken since the sidecar began to stop.</summary>
    public async Task CloseAsync(CancellationToken now)
    {
        await using var registration = now.Register(_now.Cancel);
        await StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _now.CancelAsync();
        await StopAsync();
        await (_listener?.DisposeAsync() ?? ValueTask.CompletedTask);
        _now.Dispose();
    }

    private void SetLimits(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = settings.MaxConcurrent + SpareConnections;
        limits.MaxConcurrentUpgradedConnections = 0;
        limits.MaxRequestBodySize = settings.MaxBodyBytes;

        // Short, so that connections which ask nothing do not pile up; longer than a proxy keeps its own.
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
    }

    private Task StopAsync()
    {
        lock (_gate)
        {
            return _stopping ??= _listener?.StopAsync(_now.Token) ?? Task.CompletedTask;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Flows are served at {EndPoint}{PathPrefix}", EventName = "FlowServerStarted")]
        public static partial void Listening(ILogger logger, EndPoint endPoint, string pathPrefix);

        [LoggerMessage(LogLevel.Error, "{Source}: cannot listen at {Address}: {Reason}; accepted: an address that is free, or off", EventName = "FlowServerListenFailed")]
        public static partial void Refused(ILogger logger, SettingSource source, HealthAddress address, string reason);
    }
}
