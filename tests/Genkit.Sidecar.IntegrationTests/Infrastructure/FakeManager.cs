using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>
/// A manager on a real WebSocket that does on cue what Genkit's own does not: drops connections, sends invalid messages, stays silent. The tests
/// read and write its frames.
/// </summary>
internal sealed class FakeManager : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly Channel<ManagerSocketPeer> _connections = Channel.CreateUnbounded<ManagerSocketPeer>();
    private readonly ConcurrentBag<ManagerSocketPeer> _peers = [];

    private FakeManager(WebApplication server) => _server = server;

    public Uri Address { get; private set; } = null!;

    /// <summary>Answers an upgrade with this HTTP status instead of a WebSocket.</summary>
    public int? UpgradeStatus { get; set; }

    /// <summary>Where <see cref="UpgradeStatus"/> redirects to.</summary>
    public Uri? UpgradeLocation { get; set; }

    /// <param name="port">Zero for a free port; another to listen on an earlier port again.</param>
    public static async Task<FakeManager> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var server = builder.Build();
        var manager = new FakeManager(server);
        server.UseWebSockets();
        server.Run(manager.HandleAsync);
        await server.StartAsync();
        var bound = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        manager.Address = new UriBuilder(bound) { Scheme = "ws" }.Uri;
        return manager;
    }

    /// <summary>Waits for the next connection.</summary>
    public async Task<ManagerSocketPeer> AcceptAsync() =>
        await _connections.Reader.ReadAsync().AsTask().WaitAsync(Timeouts.Default);

    /// <summary>Waits for the next connection and answers its registration.</summary>
    public async Task<ManagerSocketPeer> AcceptRegisteredAsync()
    {
        var peer = await AcceptAsync();
        await peer.AcceptRegistrationAsync();
        return peer;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
        {
            peer.Cut();
        }

        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (UpgradeStatus is { } status)
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = UpgradeLocation?.ToString();
            return;
        }

        using var webSocket = await context.WebSockets.AcceptWebSocketAsync();
        var peer = new ManagerSocketPeer(context, webSocket);
        _peers.Add(peer);
        await _connections.Writer.WriteAsync(peer);
        await peer.Ended;
    }
}
