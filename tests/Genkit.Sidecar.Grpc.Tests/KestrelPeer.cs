using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>An HTTP/2 server on a Unix socket or on TCP that gives tests access to each request as received.</summary>
internal sealed class KestrelPeer : IAsyncDisposable
{
    private readonly WebApplication _server;

    private KestrelPeer(WebApplication server) => _server = server;

    public GrpcTarget Target => GrpcTarget.Parse(_server.Urls.Single().Replace("http://unix:", "unix:", StringComparison.Ordinal));

    /// <summary>Starts a server. The response has the gRPC status OK unless the handler sets another one.</summary>
    public static async Task<KestrelPeer> StartAsync(RequestDelegate handler, string? socketPath = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            if (socketPath is null)
            {
                kestrel.Listen(IPAddress.Loopback, 0);
            }
            else
            {
                kestrel.ListenUnixSocket(socketPath);
            }
        });
        var server = builder.Build();
        server.Run(async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.StartAsync(context.RequestAborted);
            try
            {
                await handler(context);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                return;
            }

            var trailers = context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers;
            trailers.TryAdd("grpc-status", "0");
        });
        await server.StartAsync();
        return new KestrelPeer(server);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }
}
