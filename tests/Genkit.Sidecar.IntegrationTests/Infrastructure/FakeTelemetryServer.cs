using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>A telemetry server on a real socket that is slow, fails and goes away on cue.</summary>
internal sealed class FakeTelemetryServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly Channel<PostedTrace> _posts = Channel.CreateUnbounded<PostedTrace>();
    private readonly Channel<JsonElement> _logs = Channel.CreateUnbounded<JsonElement>();

    private FakeTelemetryServer(WebApplication server) => _server = server;

    public Uri Address { get; private set; } = null!;

    /// <summary>Runs before a post is taken, and gives the status to answer with.</summary>
    public Func<HttpContext, PostedTrace, Task<int>> Answer { get; set; } = (_, _) => Task.FromResult(StatusCodes.Status200OK);

    /// <summary>The posts that were answered with 200, in that order.</summary>
    public ConcurrentQueue<PostedTrace> Taken { get; } = [];

    /// <param name="port">Zero for a free port.</param>
    public static async Task<FakeTelemetryServer> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        var server = builder.Build();
        var telemetry = new FakeTelemetryServer(server);
        server.Run(telemetry.HandleAsync);
        await server.StartAsync();
        telemetry.Address = new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return telemetry;
    }

    /// <summary>Returns a port on which no process listens. Another process may take it later.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits for the next post, regardless of its answer.</summary>
    public Task<PostedTrace> PostAsync() => _posts.Reader.ReadAsync().AsTask().InTimeAsync();

    /// <summary>Waits for the next post of logs. All of them are accepted.</summary>
    public Task<JsonElement> LogsAsync() => _logs.Reader.ReadAsync().AsTask().InTimeAsync();

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            Assert.Equal(("POST", "application/json"), (context.Request.Method, context.Request.ContentType));
            using var body = await JsonDocument.ParseAsync(context.Request.Body);
            if (context.Request.Path == "/api/otlp/v1/logs")
            {
                await _logs.Writer.WriteAsync(body.RootElement.Clone());
                return;
            }

            Assert.Equal("/api/traces", context.Request.Path);
            var post = new PostedTrace(body.RootElement.Clone());
            await _posts.Writer.WriteAsync(post);
            context.Response.StatusCode = await Answer(context, post);
            if (context.Response.StatusCode == StatusCodes.Status200OK)
            {
                Taken.Enqueue(post);
                await context.Response.WriteAsync("OK");
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or BadHttpRequestException)
        {
            // The sidecar cancelled the request.
        }
    }
}
