using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Http;
using Genkit.Sidecar.Otlp;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>
/// Where an application's OpenTelemetry SDK sends to. Open from before the application is started until the host has stopped, as an SDK sends its
/// last spans while its process ends.
/// </summary>
internal sealed partial class OtlpListeners(OtlpSettings settings, OtlpHandler handler, ILoggerFactory logs) : IAsyncDisposable
{
    private readonly ILogger _logger = logs.CreateLogger<OtlpListeners>();
    private OtlpRoutes? _routes;
    private WebListener? _listener;
    private EndPoint? _grpc;
    private EndPoint? _http;

    /// <summary>Where a process of this machine sends to; or one elsewhere, if a host is advertised.</summary>
    public OtlpEndpoints Endpoints => new(Address(_grpc, isLocal: true), Address(_http, isLocal: true));

    /// <summary>Opens the listeners. Returns false if one fails, and logs why.</summary>
    public async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        if (!TryBind(OtlpSettingTable.OtlpGrpc, settings.GrpcAddress, settings.GrpcAddressSource, out var grpc))
        {
            return false;
        }

        if (!TryBind(OtlpSettingTable.OtlpHttp, settings.HttpAddress, settings.HttpAddressSource, out var http))
        {
            grpc?.Dispose();
            return false;
        }

        if (grpc is null && http is null)
        {
            return true;
        }

        (_grpc, _http) = (grpc?.LocalEndPoint, http?.LocalEndPoint);
        List<(Socket, HttpProtocols)> sockets = [];
        if (grpc is not null)
        {
            sockets.Add((grpc, HttpProtocols.Http2));
        }

        if (http is not null)
        {
            sockets.Add((http, HttpProtocols.Http1));
        }

        _routes = new OtlpRoutes(settings, handler);
        _listener = await WebListener.StartAsync(sockets, SetLimits, _routes.AddServices, _routes.Map, logs, cancellationToken);
        Log.Listening(_logger, string.Join(" and ", Shown(_http, "HTTP").Concat(Shown(_grpc, "gRPC"))));
        return true;
    }

    /// <summary>
    /// What the application at an address may be told. One that does not share this machine's loopback is told nothing of it: it would try its own, where
    /// another process may listen.
    /// </summary>
    public OtlpEndpoints EndpointsFor(ApplicationAddress application)
    {
        var endpoints = new OtlpEndpoints(Address(_grpc, application.IsOnLoopback), Address(_http, application.IsOnLoopback));
        if (endpoints != Endpoints)
        {
            Log.NotTold(_logger, application, OtlpSettingTable.OtlpAdvertise.Flag);
        }

        return endpoints;
    }

    public async ValueTask DisposeAsync()
    {
        await (_listener?.DisposeAsync() ?? ValueTask.CompletedTask);
        _routes?.Dispose();
    }

    private static void SetLimits(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = 256;
        limits.MaxConcurrentUpgradedConnections = 0;

        // The services have bounds of their own, and a better answer.
        limits.MaxRequestBodySize = null;

        // A request that is being read keeps others waiting.
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 16 * 1024, gracePeriod: TimeSpan.FromSeconds(5));

        // What waits unread, for each connection.
        limits.MaxRequestBufferSize = 128 * 1024;
        limits.Http2.InitialConnectionWindowSize = 128 * 1024;
        limits.Http2.InitialStreamWindowSize = 128 * 1024;
        limits.Http2.MaxStreamsPerConnection = 32;
    }

    private bool TryBind(Setting setting, OtlpAddress address, SettingSource source, out Socket? socket)
    {
        (socket, var problem) = address.EndPoint is { } wanted ? ListeningSocket.Open(wanted) : default;
        if (problem is null)
        {
            return true;
        }

        Log.Refused(_logger, source == SettingSource.Default ? $"the default of {setting.Flag}" : $"{source}", address, problem, setting.Flag);
        return false;
    }

    private string Address(EndPoint? endPoint, bool isLocal)
    {
        if (endPoint is not IPEndPoint bound)
        {
            return "";
        }

        var isAny = bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any);
        if (settings.Advertise is not null || isLocal || !(isAny || IPAddress.IsLoopback(bound.Address)))
        {
            // [::] takes IPv4 too.
            var host = settings.Advertise ?? $"{(isAny ? IPAddress.Loopback : bound.Address)}";
            return string.Create(CultureInfo.InvariantCulture, $"http://{(host.Contains(':') && !host.StartsWith('[') ? $"[{host}]" : host)}:{bound.Port}");
        }

        return "";
    }

    private static IEnumerable<string> Shown(EndPoint? endPoint, string protocol) => endPoint is null ? [] : [$"{endPoint} ({protocol})"];

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "OpenTelemetry's spans and logs are taken at {EndPoints}", EventName = "OtlpListenersStarted")]
        public static partial void Listening(ILogger logger, string endPoints);

        [LoggerMessage(LogLevel.Error, "{Source}: cannot listen at {Address}: {Reason}. Another sidecar, or a collector of OpenTelemetry? {Flag} takes another address, port 0 for any that is free, or off", EventName = "OtlpListenFailed")]
        public static partial void Refused(ILogger logger, string source, OtlpAddress address, string reason, string flag);

        [LoggerMessage(LogLevel.Information, "The application at {Application} is not told where its OpenTelemetry spans are taken: only processes of this machine can be sure to reach that. {Flag} says by what host it can, once the OTLP listeners are open to it", EventName = "OtlpEndpointNotAnnounced")]
        public static partial void NotTold(ILogger logger, ApplicationAddress application, string flag);
    }
}
