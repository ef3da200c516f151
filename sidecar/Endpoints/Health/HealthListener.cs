using System.Net;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Endpoints.Health;

/// <summary>
/// The small HTTP/1.1 server behind <c>--health</c>. Open from before the host starts until after it has stopped, as those are the
/// times that probes ask about.
/// </summary>
internal sealed partial class HealthListener(HealthSettings settings, HealthEndpoints endpoints, ILoggerFactory logs) : IAsyncDisposable
{
    private readonly ILogger _logger = logs.CreateLogger<HealthListener>();
    private WebListener? _listener;

    /// <summary>Where it listens, with the port that the system chose where 0 was given; null while it does not.</summary>
    public EndPoint? EndPoint => _listener?.EndPoint;

    /// <summary>Listens. False if it cannot although a setting says where; the log says why.</summary>
    public async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        var (socket, problem) = ListeningSocket.Open(settings.Address.EndPoint!);
        if (socket is null)
        {
            return Refused(problem!);
        }

        _listener = await WebListener.StartAsync(socket, SetLimits, addServices: null, endpoints.Map, logs, cancellationToken);
        Log.Listening(_logger, _listener.EndPoint);
        return true;
    }

    public ValueTask DisposeAsync() => _listener?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static void SetLimits(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = 256;
        limits.MaxConcurrentUpgradedConnections = 0;
        limits.MaxRequestLineSize = 1024;
        limits.MaxRequestHeadersTotalSize = 8 * 1024;
        limits.MaxRequestHeaderCount = 32;
        limits.MaxRequestBodySize = 0;

        // Short, so that callers who connect and say nothing cannot keep the probes out for long. A scraper connects anew.
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(5);
    }

    private bool Refused(string reason)
    {
        if (settings.AddressSource.Origin == SettingOrigin.Default)
        {
            Log.GoingOnWithout(_logger, settings.Address, reason, HealthSettingTable.Health.Flag);
            return true;
        }

        Log.Refused(_logger, settings.AddressSource, settings.Address, reason);
        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Probes and metrics are answered at {EndPoint}", EventName = "HealthListenerStarted")]
        public static partial void Listening(ILogger logger, EndPoint endPoint);

        [LoggerMessage(LogLevel.Information, "Probes and metrics are not answered: the default address {Address} is not free ({Reason}). Another sidecar? {Flag} gives this one its own", EventName = "HealthListenerUnavailable")]
        public static partial void GoingOnWithout(ILogger logger, HealthAddress address, string reason, string flag);

        [LoggerMessage(LogLevel.Error, "{Source}: cannot listen at {Address}: {Reason}; accepted: an address that is free, or off", EventName = "HealthListenFailed")]
        public static partial void Refused(ILogger logger, SettingSource source, HealthAddress address, string reason);
    }
}
