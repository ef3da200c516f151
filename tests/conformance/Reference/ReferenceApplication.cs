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

/// <summary>The application that does all right, or breaks one rule.</summary>
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

    /// <summary>Where it serves: <c>http://host:port</c>.</summary>
    public string Address { get; }

    /// <param name="catalogue">What it serves.</param>
    /// <param name="broken">What it does wrong, null for nothing.</param>
    /// <param name="without">Features that it leaves out.</param>
    /// <param name="address">Where it serves; null for a free port on loopback.</param>
    public static async Task<ReferenceApplication> StartAsync(Catalogue catalogue, Rule? broken, IReadOnlySet<string> without, IPEndPoint? address = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // How large messages may be is gRPC's limit, and how slow callers may be is theirs.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;

            // A proxy may speak TLS for it.
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

    /// <summary>Answers with an empty message, as every message without members is.</summary>
    private static async Task SucceedAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5], context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}
