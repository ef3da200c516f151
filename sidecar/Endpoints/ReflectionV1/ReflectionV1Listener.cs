using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>The HTTP/1.1 server of Reflection API v1. Open from before the host starts, so that a start that cannot listen fails as one.</summary>
internal sealed partial class ReflectionV1Listener(
    ReflectionV1Settings settings, LimitSettings runLimits, EnabledEndpoints enabled, ReflectionV1Endpoints endpoints, ReflectionV1Status status, ILoggerFactory logs) : IAsyncDisposable
{
    /// <summary>Where Genkit's own runtimes look for a free port.</summary>
    private const int FirstPort = 3100;
    private const int LastPort = 3200;

    /// <summary>Connections beyond one for each run: for listings, and for runs that are refused because there are too many.</summary>
    private const int SpareConnections = 256;

    private readonly ILogger _logger = logs.CreateLogger<ReflectionV1Listener>();
    private WebListener? _listener;

    /// <summary>Where to listen, the first that is free.</summary>
    public static IReadOnlyList<IPEndPoint> Candidates(ReflectionV1Settings settings) => settings.Address?.EndPoint is { } wanted
        ? [wanted]
        : [.. Enumerable.Range(FirstPort, LastPort - FirstPort + 1).Select(port => new IPEndPoint(IPAddress.Loopback, port))];

    /// <summary>Opens the listener. Returns false if that fails, and logs why.</summary>
    public async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        var (socket, problem) = OpenFirst();
        if (socket is null)
        {
            return Refused(problem!);
        }

        _listener = await WebListener.StartAsync(socket, SetLimits, addServices: null, endpoints.Map, logs, cancellationToken);
        var endPoint = (IPEndPoint)_listener.EndPoint;
        status.Listening(Address(endPoint));
        Log.Listening(_logger, status.Address!);
        if (!Loopback.Is(endPoint.Address))
        {
            Log.BeyondLoopback(_logger, endPoint);
        }

        return true;
    }

    /// <summary>Takes no more connections and lets the answers out that are under way, until <paramref name="now"/>.</summary>
    public async Task CloseAsync(CancellationToken now)
    {
        status.Closed();
        if (_listener is not null)
        {
            await _listener.StopAsync(now);
        }
    }

    public ValueTask DisposeAsync() => _listener?.DisposeAsync() ?? ValueTask.CompletedTask;

    private (Socket? Socket, string? Problem) OpenFirst()
    {
        var result = (default(Socket), default(string));
        foreach (var candidate in Candidates(settings))
        {
            result = ListeningSocket.Open(candidate);
            if (result.Item1 is not null)
            {
                break;
            }
        }

        return result;
    }

    private void SetLimits(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = runLimits.MaxConcurrentRuns + SpareConnections;
        limits.MaxConcurrentUpgradedConnections = 0;

        // The body is counted where it is read, so that the answer can be what the tools understand.
        limits.MaxRequestBodySize = null;

        // A caller that reads slowly makes the application wait, as with Reflection API v2.
        limits.MinResponseDataRate = null;
    }

    /// <summary>Where tools on this machine ask. An address, not a name: another process may listen on that name's other addresses.</summary>
    private static Uri Address(IPEndPoint endPoint)
    {
        var address = endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : endPoint.Address;
        return new UriBuilder(Uri.UriSchemeHttp, address.ToString(), endPoint.Port).Uri;
    }

    private bool Refused(string reason)
    {
        var isDefault = settings.Address is null;
        var wanted = isDefault ? $"127.0.0.1:{FirstPort} to {LastPort}" : settings.Address!.Text;
        if (isDefault && enabled.ReflectionV2)
        {
            Log.GoingOnWithout(_logger, wanted, reason);
            return true;
        }

        Log.Refused(_logger, isDefault ? $"the default of {ReflectionV1SettingTable.ReflectionV1.Flag}" : settings.AddressSource.ToString(), wanted, reason);
        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Reflection API v1 is served at {Address}", EventName = "ReflectionV1ListenerStarted")]
        public static partial void Listening(ILogger logger, Uri address);

        [LoggerMessage(LogLevel.Warning, "Reflection API v1 at {EndPoint} is beyond loopback: every client that reaches it may run all actions and stop the sidecar", EventName = "ReflectionV1BeyondLoopback")]
        public static partial void BeyondLoopback(ILogger logger, IPEndPoint endPoint);

        [LoggerMessage(LogLevel.Warning, "Reflection API v1 is not served: {Address} is not free ({Reason})", EventName = "ReflectionV1ListenerUnavailable")]
        public static partial void GoingOnWithout(ILogger logger, string address, string reason);

        [LoggerMessage(LogLevel.Error, "{Source}: cannot listen at {Address}: {Reason}; accepted: an address that is free, or off", EventName = "ReflectionV1ListenFailed")]
        public static partial void Refused(ILogger logger, string source, string address, string reason);
    }
}
