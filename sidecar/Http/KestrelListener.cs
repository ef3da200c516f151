using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.Http;

/// <summary>An HTTP server at one address: Kestrel itself, without the web host around it.</summary>
internal sealed class KestrelListener : IAsyncDisposable
{
    /// <summary>A caller that is slow to ask or to read must not hold the process up.</summary>
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromMilliseconds(250);

    private readonly KestrelServer _server;

    private KestrelListener(KestrelServer server, EndPoint endPoint) => (_server, EndPoint) = (server, endPoint);

    /// <summary>Where it listens, with the port that the system chose where 0 was given.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Listens.</summary>
    /// <param name="wanted">An IP address with a port, or a Unix socket, which will be its owner's alone.</param>
    /// <param name="protocol">One version of HTTP: without TLS Kestrel cannot tell them apart.</param>
    /// <param name="setLimits">Changes Kestrel's limits.</param>
    /// <param name="handle">Answers each request.</param>
    /// <param name="logs">For Kestrel's own lines.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The listener, or why there is none, for people.</returns>
    public static async Task<(KestrelListener? Listener, string? Problem)> OpenAsync(
        EndPoint wanted, HttpProtocols protocol, Action<KestrelServerLimits> setLimits, RequestDelegate handle, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        if (wanted is UnixDomainSocketEndPoint && SocketFile.Clear($"{wanted}").Problem is { } problem)
        {
            return (null, problem);
        }

        ListenOptions? listening = null;
        var options = new KestrelServerOptions { AddServerHeader = false };
        setLimits(options.Limits);
        options.Listen(wanted, listen =>
        {
            listen.Protocols = protocol;
            listening = listen;
        });
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Bind }), logs);
        var server = new KestrelServer(Options.Create(options), transport, logs);
        try
        {
            await server.StartAsync(new Requests(handle), cancellationToken);
            return (new KestrelListener(server, listening!.EndPoint), null);
        }
        catch (Exception exception) when (exception is IOException or SocketException or UnauthorizedAccessException)
        {
            server.Dispose();
            return (null, Reason(exception));
        }
    }

    /// <summary>Takes no more connections and lets the open ones end, until the token ends them.</summary>
    public Task StopAsync(CancellationToken now) => _server.StopAsync(now);

    /// <summary>Takes no more connections, and lets those that are being answered have the rest, within 250 ms.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(s_closeLimit);
        await StopAsync(now.Token);
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

    private sealed class Requests(RequestDelegate handle) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => handle(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
