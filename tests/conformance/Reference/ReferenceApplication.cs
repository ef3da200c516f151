using System.Net;
using Genkit.Sidecar.Conformance.Actions;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>The reference application. It is correct, or breaks one rule.</summary>
internal sealed class ReferenceApplication : IAsyncDisposable
{
    private const int MaxMessageBytes = 90 * 1024 * 1024;
    private const int StockMaxMessageBytes = 4 * 1024 * 1024;

    private readonly WebApplication _server;

    private ReferenceApplication(WebApplication server)
    {
        _server = server;
        Address = server.Urls.Single();
    }

    /// <summary>Address of the application: <c>http://host:port</c>.</summary>
    public string Address { get; }

    /// <param name="catalogue">The actions to serve.</param>
    /// <param name="broken">The broken rule, or null.</param>
    /// <param name="without">Features that it does not support.</param>
    /// <param name="address">The address to listen on, or null for a free port on loopback.</param>
    public static async Task<ReferenceApplication> StartAsync(Catalogue catalogue, Rule? broken, IReadOnlySet<string> without, IPEndPoint? address = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // gRPC limits the size of messages, and callers may be slow.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;

            // A proxy may terminate TLS.
            kestrel.AllowAlternateSchemes = true;
            kestrel.Listen(address ?? new IPEndPoint(IPAddress.Loopback, 0), endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = broken == Rule.StockMessageLimit ? StockMaxMessageBytes : MaxMessageBytes);
        var admission = new Admission(broken, without);
        var actions = new ReferenceActions(broken);
        builder.Services.AddSingleton(new ReferenceService(new ReferenceListing(catalogue, actions, broken), actions, admission, broken));
        builder.Services.AddSingleton(new ReferenceHealth(admission, broken));
        var server = builder.Build();
        if (broken == Rule.DiesOfBadRequests)
        {
            server.Use((context, next) => DieOfBadRequestsAsync(context, next, admission));
        }

        server.MapGrpcService<ReferenceService>();
        server.MapGrpcService<ReferenceHealth>();
        if (broken == Rule.UnknownMethodSucceeds)
        {
            server.MapPost("/genkit.sidecar.v1.ActionService/NoSuchMethod", SucceedAsync);
            server.MapPost("/genkit.sidecar.v999.ActionService/ListActions", SucceedAsync);
        }

        await server.StartAsync();
        return new ReferenceApplication(server);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    private static async Task DieOfBadRequestsAsync(HttpContext context, RequestDelegate next, Admission admission)
    {
        await next(context);
        if (context.Features.Get<IServerCallContextFeature>()?.ServerCallContext.Status.DebugException is InvalidProtocolBufferException)
        {
            admission.Die();
        }
    }

    /// <summary>Responds with an empty message.</summary>
    private static async Task SucceedAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5], context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}
