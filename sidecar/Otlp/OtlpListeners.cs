using System.Globalization;
using System.Net;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Otlp;

/// <summary>
/// Where an application's OpenTelemetry SDK sends to. Open from before the application is started until the host has stopped, as an SDK sends its
/// last spans while its process ends.
/// </summary>
internal sealed partial class OtlpListeners(SidecarSettings settings, OtlpHandler handler, ILoggerFactory logs) : IAsyncDisposable
{
    private readonly ILogger _logger = logs.CreateLogger<OtlpListeners>();
    private readonly OtlpTurns _turns = new();
    private KestrelListener? _grpc;
    private KestrelListener? _http;

    /// <summary>Where a process of this machine sends to; or one elsewhere, if a host is advertised.</summary>
    public OtlpEndpoints Endpoints => new(Address(_grpc, isLocal: true), Address(_http, isLocal: true));

    /// <summary>Listens, where it is to. False if it cannot; the log says why.</summary>
    public async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        var grpc = new OtlpGrpcService(settings, handler, _turns, logs);
        var http = new OtlpHttpService(settings, handler, _turns);
        if (settings.OtlpGrpc.EndPoint is { } grpcEndPoint)
        {
            (_grpc, var problem) = await KestrelListener.OpenAsync(grpcEndPoint, HttpProtocols.Http2, SetLimits, grpc.HandleAsync, logs, cancellationToken);
            if (_grpc is null)
            {
                return Refused(SettingTable.OtlpGrpc, settings.OtlpGrpc, settings.OtlpGrpcSource, problem!);
            }
        }

        if (settings.OtlpHttp.EndPoint is { } httpEndPoint)
        {
            (_http, var problem) = await KestrelListener.OpenAsync(httpEndPoint, HttpProtocols.Http1, SetLimits, http.HandleAsync, logs, cancellationToken);
            if (_http is null)
            {
                return Refused(SettingTable.OtlpHttp, settings.OtlpHttp, settings.OtlpHttpSource, problem!);
            }
        }

        if (_grpc is not null || _http is not null)
        {
            Log.Listening(_logger, string.Join(" and ", Shown(_http, "HTTP").Concat(Shown(_grpc, "gRPC"))));
        }

        return true;
    }

    /// <summary>
    /// What the application at an address may be told. One that does not share this machine's loopback is told nothing of it: it would try its own, where
    /// somebody else may listen.
    /// </summary>
    public OtlpEndpoints EndpointsFor(ApplicationAddress application)
    {
        var endpoints = new OtlpEndpoints(Address(_grpc, application.IsOnLoopback), Address(_http, application.IsOnLoopback));
        if (endpoints != Endpoints)
        {
            Log.NotTold(_logger, application, SettingTable.OtlpAdvertise.Flag);
        }

        return endpoints;
    }

    public async ValueTask DisposeAsync()
    {
        // Together, for each may take its time.
        var grpc = _grpc?.DisposeAsync().AsTask() ?? Task.CompletedTask;
        var http = _http?.DisposeAsync().AsTask() ?? Task.CompletedTask;
        await Task.WhenAll(grpc, http);
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

    private bool Refused(Setting setting, OtlpAddress address, SettingSource source, string reason)
    {
        Log.Refused(_logger, source == SettingSource.Default ? $"the default of {setting.Flag}" : $"{source}", address, reason, setting.Flag);
        return false;
    }

    private string Address(KestrelListener? listener, bool isLocal)
    {
        if (listener?.EndPoint is not IPEndPoint bound)
        {
            return "";
        }

        var isAny = bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any);
        if (settings.OtlpAdvertise is not null || isLocal || !(isAny || IPAddress.IsLoopback(bound.Address)))
        {
            // [::] takes IPv4 too.
            var host = settings.OtlpAdvertise ?? $"{(isAny ? IPAddress.Loopback : bound.Address)}";
            return string.Create(CultureInfo.InvariantCulture, $"http://{(host.Contains(':') && !host.StartsWith('[') ? $"[{host}]" : host)}:{bound.Port}");
        }

        return "";
    }

    private static IEnumerable<string> Shown(KestrelListener? listener, string protocol) => listener is null ? [] : [$"{listener.EndPoint} ({protocol})"];

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "OpenTelemetry's spans and logs are taken at {EndPoints}")]
        public static partial void Listening(ILogger logger, string endPoints);

        [LoggerMessage(LogLevel.Error, "{Source}: cannot listen at {Address}: {Reason}. Another sidecar, or a collector of OpenTelemetry? {Flag} takes another address, port 0 for any that is free, or off")]
        public static partial void Refused(ILogger logger, string source, OtlpAddress address, string reason, string flag);

        [LoggerMessage(LogLevel.Information, "The application at {Application} is not told where its OpenTelemetry spans are taken: only processes of this machine can be sure to reach that. {Flag} says by what host it can, once the OTLP listeners are open to it")]
        public static partial void NotTold(ILogger logger, ApplicationAddress application, string flag);
    }
}
