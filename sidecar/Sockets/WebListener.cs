using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.Sockets;

/// <summary>An HTTP server at one address: Kestrel itself, without the web host around it.</summary>
internal sealed class WebListener : IAsyncDisposable
{
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromMilliseconds(250);

    private readonly KestrelServer _server;

    private WebListener(KestrelServer server, EndPoint endPoint) => (_server, EndPoint) = (server, endPoint);

    /// <summary>Where it listens, with the port that the system chose where 0 was given.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Listens; the problem says why it cannot. A Unix socket is for its owner alone.</summary>
    /// <param name="endPoint">Where.</param>
    /// <param name="protocol">One version of HTTP: without TLS Kestrel cannot tell them apart.</param>
    /// <param name="setLimits">What callers may cost.</param>
    /// <param name="handler">Answers requests.</param>
    /// <param name="logs">Where Kestrel logs to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Parsed<WebListener>> OpenAsync(
        EndPoint endPoint, HttpProtocols protocol, Action<KestrelServerLimits> setLimits, RequestDelegate handler, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        ListenOptions? listening = null;
        var options = new KestrelServerOptions { AddServerHeader = false };
        setLimits(options.Limits);
        options.Listen(endPoint, listen =>
        {
            listen.Protocols = protocol;
            listening = listen;
        });
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Bind }), logs);
        var server = new KestrelServer(Options.Create(options), transport, logs);
        try
        {
            await server.StartAsync(new Requests(handler), cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException or UnauthorizedAccessException)
        {
            server.Dispose();
            return Parsed<WebListener>.Bad(Reason(exception));
        }

        return Parsed<WebListener>.Good(new(server, listening!.EndPoint));
    }

    /// <summary>Takes no more callers, and lets those that are being answered have the rest, within 250 ms: one that is slow to ask or to read must not hold the process up.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(s_closeLimit);
        await _server.StopAsync(limit.Token);
        _server.Dispose();
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

    private sealed class Requests(RequestDelegate handler) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => handler(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
