using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>A peer that is silent is distinguished from one that is gone.</summary>
public sealed class DeadConnectionTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PeerKind.Node, "Wait")]
    [InlineData(PeerKind.Node, "Chat")]
    [InlineData(PeerKind.Python, "Wait")]
    [InlineData(PeerKind.Python, "Chat")]
    [InlineData(PeerKind.Go, "Wait")]
    [InlineData(PeerKind.Go, "Chat")]
    public async Task Peer_IsFrozen_CallsFailInTimeAndTheNextDials(PeerKind kind, string method)
    {
        await using var peer = await Peer.StartAsync(kind, Token);
        using var wire = Channel(peer, s_timeout, out var connections);
        await using var waiting = wire.Start(method);
        await waiting.SendAsync(new Message(), endOfStream: method == "Wait");
        Assert.True(await waiting.NextAsync());

        await peer.FreezeAsync();
        CallStatus unary;
        try
        {
            unary = (await wire.UnaryAsync("Echo", new Message())).Status;
            Assert.False(await waiting.NextAsync());
        }
        finally
        {
            await peer.ThawAsync();
        }

        Assert.All([unary, waiting.Status!], AssertLost);
        Assert.Equal(StatusCode.OK, (await wire.UnaryAsync("Echo", new Message())).Status.Code);
        await AssertCountAsync(2, connections);
    }

    [Theory]
    [InlineData(PeerKind.Node, 64)]
    [InlineData(PeerKind.Python, 64)]
    [InlineData(PeerKind.Python, 1)]
    [InlineData(PeerKind.Go, 64)]
    public async Task Run_SilentForManyTimeouts_Survives(PeerKind kind, int workers)
    {
        await using var peer = await Peer.StartAsync(kind, Token, ("WIRE_WORKERS", $"{workers}"));
        using var wire = Channel(peer, s_timeout, out var connections);
        await using var call = await wire.StartAsync("Wait", new Plan { Key = "silent" }, new RawCallOptions { Deadline = 6 * s_timeout });
        Assert.True(await call.NextAsync());

        Assert.False(await call.NextAsync());

        Assert.Equal(StatusCode.DeadlineExceeded, call.Status!.Code);
        await AssertCountAsync(1, connections);
    }

    [Fact]
    [Trait("Tier", "All")]
    public async Task Run_SilentForTenMinutesOnGrpcio_Survives()
    {
        await using var peer = await Peer.StartAsync(PeerKind.Python, Token);
        using var wire = Channel(peer, TimeSpan.FromSeconds(15), out var connections);
        await using var call = await wire.StartAsync("Wait", new Plan { Key = "long" }, new RawCallOptions { Deadline = TimeSpan.FromMinutes(10) });
        Assert.True(await call.ReadAsync(Token));

        Assert.False(await call.ReadAsync(Token));

        Assert.Equal(StatusCode.DeadlineExceeded, call.Status!.Code);
        await AssertCountAsync(1, connections);
    }

    [Fact]
    public async Task Run_HoldsTheInterpretersLockForMostOfTheTimeout_Survives()
    {
        await using var peer = await Peer.StartAsync(PeerKind.Python, Token);
        using var wire = Channel(peer, 2 * s_timeout, out var connections);

        for (var i = 0; i < 3; i++)
        {
            var result = await wire.UnaryAsync("Hold", new Plan { Count = 3_000_000 });
            Assert.Equal(StatusCode.OK, result.Status.Code);
        }

        await AssertCountAsync(1, connections);
    }

    [Fact]
    public async Task Peer_IsFrozenAndDeadlinesAreShort_ConnectionIsReplaced()
    {
        await using var peer = await Peer.StartAsync(PeerKind.Python, Token);
        using var wire = Channel(peer, s_timeout, out var connections);
        await wire.UnaryAsync("Echo", new Message());

        await peer.FreezeAsync();
        try
        {
            CallStatus status;
            do
            {
                status = (await wire.UnaryAsync("Echo", new Message(), new RawCallOptions { Deadline = s_timeout / 4 })).Status;
            }
            while (status.Code == StatusCode.DeadlineExceeded);
            AssertLost(status);
        }
        finally
        {
            await peer.ThawAsync();
        }

        Assert.Equal(StatusCode.OK, (await wire.UnaryAsync("Echo", new Message())).Status.Code);
        await AssertCountAsync(2, connections);
    }

    [Fact]
    public async Task Timeout_Zero_NeverCloses()
    {
        var time = new FakeTimeProvider();
        await using var peer = SilentPeer();
        using var channel = peer.Channel(TimeSpan.Zero, time);
        await using var call = await WaitingAsync(channel);
        var next = call.NextAsync();

        time.Advance(TimeSpan.FromDays(1));

        call.Cancel();
        Assert.False(await next);
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
    }

    [Fact]
    public async Task Connection_IdleForLong_FirstCallIsNotPunished()
    {
        var time = new FakeTimeProvider();
        var frames = 0;
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.GreetAsync();
            for (var i = 0; ; i++)
            {
                var stream = await connection.RequestAsync();
                Interlocked.Increment(ref frames);
                await connection.SendHeadersAsync(stream, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"));
            }
        });
        using var channel = peer.Channel(TimeSpan.FromSeconds(15), time);
        Assert.Equal(StatusCode.OK, await StatusAsync(channel));

        // No call is active, so the watch sends no PING.
        for (var i = 0; i < 100; i++)
        {
            time.Advance(TimeSpan.FromSeconds(15));
        }

        Assert.Equal(1, frames);
        Assert.Equal(StatusCode.OK, await StatusAsync(channel));
        Assert.Equal(1, peer.Connections);
    }

    [Fact]
    public async Task Connection_IdleForLong_IsWatchedFromTheFirstCallOn()
    {
        var time = new FakeTimeProvider();
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.GreetAsync();
            var stream = await connection.RequestAsync();
            await connection.SendHeadersAsync(stream, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"));
            await connection.StayAsync();
        });
        using var channel = peer.Channel(TimeSpan.FromSeconds(15), time);
        Assert.Equal(StatusCode.OK, await StatusAsync(channel));
        time.Advance(TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromHours(1));
        await using var call = await WaitingAsync(channel);
        var next = call.NextAsync();

        for (var i = 0; i < 4; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            Assert.False(next.IsCompleted);
        }

        for (var i = 0; i < 14; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.False(await next);
        AssertLost(call.Status!);
    }

    private static WireChannel Channel(Peer peer, TimeSpan timeout, out SemaphoreSlim connections)
    {
        var options = peer.Options(Transport.Tcp);
        var wire = new WireChannel(new ClientChannelOptions { Target = options.Target, StreamedMethods = options.StreamedMethods, KeepAliveTimeout = timeout });
        var established = new SemaphoreSlim(0);
        wire.ConnectionEstablished += () => established.Release();
        connections = established;
        return wire;
    }

    // The connection is reported on its own thread.
    private static async Task AssertCountAsync(int expected, SemaphoreSlim connections)
    {
        for (var i = 0; i < expected; i++)
        {
            Assert.True(await connections.WaitAsync(Timeouts.Default, Token));
        }

        Assert.Equal(0, connections.CurrentCount);
    }

    private static void AssertLost(CallStatus status)
    {
        Assert.Equal(StatusCode.Unavailable, status.Code);
        Assert.Equal(ConnectFailure.None, status.ConnectFailure);
        Assert.Contains("was lost: nothing came from it for", status.Message, StringComparison.Ordinal);
    }

    private static async Task<RawCall> WaitingAsync(RawChannel channel)
    {
        var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync([1], endOfStream: true, Token);
        return call;
    }

    private static async Task<StatusCode> StatusAsync(RawChannel channel)
    {
        await using var call = await WaitingAsync(channel);
        await call.DrainAsync();
        return call.Status!.Code;
    }

    private static Http2Peer SilentPeer() => new(async connection =>
    {
        await connection.GreetAsync();
        await connection.StayAsync();
    });
}
