using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.Http;

/// <summary>
/// ASP.NET Core's middleware and endpoints on a Kestrel of its own for one listener, as Kestrel's limits and the end of a listener are the server's. Without a
/// web host around it: a WebApplication for each costs memory and time at the start, also where nothing is ever asked.
/// </summary>
internal sealed class WebListener : IAsyncDisposable
{
    /// <summary>A caller that is slow to ask or to read must not hold the process up.</summary>
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromMilliseconds(250);

    private readonly KestrelServer _server;
    private readonly Lazy<WebPipeline> _pipeline;

    private WebListener(KestrelServer server, Lazy<WebPipeline> pipeline, EndPoint endPoint) => (_server, _pipeline, EndPoint) = (server, pipeline, endPoint);

    /// <summary>The address of the first socket, with the port that the system chose where 0 was given.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Serves a socket over HTTP/1.1.</summary>
    /// <param name="socket">It listens. The listener owns it.</param>
    /// <param name="setLimits">Changes Kestrel's limits.</param>
    /// <param name="addServices">Adds what the middleware needs.</param>
    /// <param name="map">Adds middleware and maps endpoints.</param>
    /// <param name="logs">For the lines of Kestrel and of the middleware.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<WebListener> StartAsync(
        Socket socket,
        Action<KestrelServerLimits> setLimits,
        Action<IServiceCollection>? addServices,
        Action<IApplicationBuilder> map,
        ILoggerFactory logs,
        CancellationToken cancellationToken) => StartAsync([(socket, HttpProtocols.Http1)], setLimits, addServices, map, logs, cancellationToken);

    /// <summary>Serves sockets, each over one version of HTTP, which Kestrel cannot tell apart without TLS.</summary>
    /// <inheritdoc cref="StartAsync(Socket, Action{KestrelServerLimits}, Action{IServiceCollection}?, Action{IApplicationBuilder}, ILoggerFactory, CancellationToken)"/>
    public static async Task<WebListener> StartAsync(
        IReadOnlyList<(Socket Socket, HttpProtocols Protocol)> sockets,
        Action<KestrelServerLimits> setLimits,
        Action<IServiceCollection>? addServices,
        Action<IApplicationBuilder> map,
        ILoggerFactory logs,
        CancellationToken cancellationToken)
    {
        // At the first request: a listener that has none costs little more than its socket.
        var pipeline = new Lazy<WebPipeline>(() => WebPipeline.Create(logs, addServices, map));
        var transport = new SocketTransportOptions
        {
            CreateBoundListenSocket = endPoint => sockets.First(bound => endPoint.Equals(bound.Socket.LocalEndPoint)).Socket,
        };
        var server = new KestrelServer(Options.Create(KestrelOptions(sockets, setLimits)), new SocketTransportFactory(Options.Create(transport), logs), logs);
        await server.StartAsync(new Requests(pipeline), cancellationToken);
        return new WebListener(server, pipeline, sockets[0].Socket.LocalEndPoint!);
    }

    /// <summary>Takes no more connections and lets the open ones end, until the token ends them.</summary>
    public Task StopAsync(CancellationToken now) => _server.StopAsync(now);

    /// <summary>Takes no more connections, and lets those that are being answered have the rest, within 250 ms.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(s_closeLimit);
        await StopAsync(now.Token);
        _server.Dispose();
        if (_pipeline.IsValueCreated)
        {
            await _pipeline.Value.DisposeAsync();
        }
    }

    private static KestrelServerOptions KestrelOptions(IReadOnlyList<(Socket Socket, HttpProtocols Protocol)> sockets, Action<KestrelServerLimits> setLimits)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        setLimits(options.Limits);
        foreach (var (socket, protocol) in sockets)
        {
            options.Listen(socket.LocalEndPoint!, listen => listen.Protocols = protocol);
        }

        return options;
    }

    private sealed class Requests(Lazy<WebPipeline> pipeline) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) =>
            new DefaultHttpContext(contextFeatures) { ServiceScopeFactory = pipeline.Value.Scopes };

        public Task ProcessRequestAsync(HttpContext context) => pipeline.Value.Handle(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
