using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.Health;

/// <summary>
/// The small HTTP/1.1 server behind <c>--health</c>: Kestrel itself, without the web host around it. Open from before the host
/// starts until after it has stopped, as those are the times that probes ask about.
/// </summary>
internal sealed partial class HealthListener(SidecarSettings settings, HealthEndpoints endpoints, ILoggerFactory logs) : IAsyncDisposable
{
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromMilliseconds(250);

    private readonly ILogger _logger = logs.CreateLogger<HealthListener>();
    private KestrelServer? _server;

    /// <summary>Where it listens, with the port that the system chose where 0 was given; null while it does not.</summary>
    public EndPoint? EndPoint { get; private set; }

    /// <summary>Listens, if it is to. False if it cannot although somebody said where; the log says why.</summary>
    public async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        if (settings.Health.EndPoint is not { } wanted)
        {
            return true;
        }

        var cleared = settings.Health.SocketPath is { } path ? SocketFile.Clear(path) : default;
        if (cleared.Problem is { } problem)
        {
            return Refused(problem);
        }

        ListenOptions? listening = null;
        var options = new KestrelServerOptions { AddServerHeader = false };
        SetLimits(options.Limits);
        options.Listen(wanted, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listening = listen;
        });
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Bind }), logs);
        _server = new KestrelServer(Options.Create(options), transport, logs);
        try
        {
            await _server.StartAsync(new Requests(endpoints), cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException or UnauthorizedAccessException)
        {
            return Refused(Reason(exception));
        }

        EndPoint = listening!.EndPoint;
        Log.Listening(_logger, EndPoint);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            // A caller that is slow to ask or to read must not hold the process up.
            using var limit = new CancellationTokenSource(s_closeLimit);
            await _server.StopAsync(limit.Token);
            _server.Dispose();
        }
    }

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

    private static Socket Bind(EndPoint endPoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        if (endPoint is UnixDomainSocketEndPoint && !OperatingSystem.IsWindows())
        {
            // Before it listens, and so before anybody can connect.
            File.SetUnixFileMode($"{endPoint}", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return socket;
    }

    private static string Reason(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException socket)
            {
                return socket.SocketErrorCode == SocketError.AddressAlreadyInUse ? "something listens there already" : socket.Message;
            }
        }

        return exception.Message;
    }

    private bool Refused(string reason)
    {
        if (settings.HealthSource.Origin == SettingOrigin.Default)
        {
            Log.GoingOnWithout(_logger, settings.Health, reason, SettingTable.Health.Flag);
            return true;
        }

        Log.Refused(_logger, settings.HealthSource, settings.Health, reason);
        return false;
    }

    private sealed class Requests(HealthEndpoints endpoints) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => endpoints.HandleAsync(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Probes and metrics are answered at {EndPoint}")]
        public static partial void Listening(ILogger logger, EndPoint endPoint);

        [LoggerMessage(LogLevel.Information, "Probes and metrics are not answered: the default address {Address} is not free ({Reason}). Another sidecar? {Flag} gives this one its own")]
        public static partial void GoingOnWithout(ILogger logger, HealthAddress address, string reason, string flag);

        [LoggerMessage(LogLevel.Error, "{Source}: cannot listen at {Address}: {Reason}; accepted: an address that is free, or off")]
        public static partial void Refused(ILogger logger, SettingSource source, HealthAddress address, string reason);
    }
}
