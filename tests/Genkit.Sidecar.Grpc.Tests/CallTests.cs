using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>Cancellation, deadlines and disposal of one call.</summary>
public sealed class CallTests(PeerServers peers)
{
    private static readonly byte[] s_message = new byte[100];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartCall_TokenCancelledLater_EndsWithCancelled()
    {
        await using var peer = SilentPeer();
        using var channel = peer.Channel();
        using var cancellation = new CancellationTokenSource();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, cancellation.Token);
        await call.WriteAsync(s_message, endOfStream: false, Token);
        var next = call.NextAsync();

        await cancellation.CancelAsync();

        Assert.False(await next);
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
    }

    [Fact]
    public async Task StartCall_TokenCancelledBefore_SendsNothing()
    {
        await using var peer = SilentPeer();
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, new CancellationToken(true));

        await call.WriteAsync(s_message, endOfStream: true, Token);

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
        Assert.Equal(0, peer.Connections);
    }

    [Fact]
    public async Task Read_TokenCancelled_ThrowsAndCancelsTheCall()
    {
        await using var peer = SilentPeer();
        using var channel = peer.Channel();
        using var cancellation = new CancellationTokenSource();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_message, endOfStream: true, Token);
        var next = call.ReadAsync(cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Timeouts.Default, Token));
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
        Assert.False(await call.NextAsync());
    }

    [Fact]
    public async Task Write_TokenCancelledWhileThePeerDoesNotRead_ThrowsAndCancelsTheCall()
    {
        await using var peer = SilentPeer();
        using var channel = peer.Channel();
        using var cancellation = new CancellationTokenSource();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_message, endOfStream: false, Token);
        // Larger than the peer's flow-control window, which the peer never extends.
        var writing = call.WriteAsync(new byte[1_000_000], endOfStream: false, cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(Timeouts.Default, Token));
        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_WhileWritingAndReading_FreesBoth(bool isFirstMessage)
    {
        await using var peer = SilentPeer();
        using var channel = peer.Channel();
        var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        if (!isFirstMessage)
        {
            await call.WriteAsync(s_message, endOfStream: false, Token);
        }

        var writing = call.WriteAsync(new byte[1_000_000], endOfStream: false, Token);
        var next = call.NextAsync();

        await call.DisposeAsync().AsTask().WaitAsync(Timeouts.Default, Token);

        await writing.WaitAsync(Timeouts.Default, Token);
        Assert.False(await next);
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
        await call.DisposeAsync();
    }

    [Fact]
    public async Task Dispose_BeforeAnything_Completes()
    {
        await using var peer = SilentPeer();
        using var channel = peer.Channel();

        await channel.StartCall("/a.B/C", RawCallOptions.Default, Token).DisposeAsync();

        Assert.Equal(0, peer.Connections);
    }

    [Fact]
    public async Task Dispose_WhileConnecting_DoesNotWaitForIt()
    {
        await using var peer = new Http2Peer(connection => connection.StayAsync());
        var target = GrpcTarget.Parse(peer.Address.Replace("http:", "https:", StringComparison.Ordinal));
        using var channel = new RawChannel(new ClientChannelOptions { Target = target, ConnectTimeout = TimeSpan.FromDays(1) });
        var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_message, endOfStream: true, Token);

        await call.DisposeAsync().AsTask().WaitAsync(Timeouts.Default, Token);

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
    }

    [Fact]
    public async Task ChannelDispose_CallsGoOn_EndsThem()
    {
        await using var peer = SilentPeer();
        var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_message, endOfStream: false, Token);
        var next = call.NextAsync();

        channel.Dispose();

        Assert.False(await next);
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public async Task Deadline_PassedAtTheStart_SendsNothing(int seconds)
    {
        await using var peer = SilentPeer();
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", new RawCallOptions { Deadline = TimeSpan.FromSeconds(seconds) }, Token);

        await call.WriteAsync(s_message, endOfStream: true, Token);

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.DeadlineExceeded, call.Status!.Code);
        Assert.Equal(0, peer.Connections);
    }

    [Fact]
    public async Task Deadline_WhileConnecting_IsNotAConnectFailure()
    {
        await using var peer = new Http2Peer(connection => connection.StayAsync());
        var target = GrpcTarget.Parse(peer.Address.Replace("http:", "https:", StringComparison.Ordinal));
        using var channel = new RawChannel(new ClientChannelOptions { Target = target });

        var result = await channel.UnaryAsync(
            "/a.B/C", s_message, new RawCallOptions { Deadline = TimeSpan.FromMilliseconds(50) }, Token);

        Assert.Equal(StatusCode.DeadlineExceeded, result.Status.Code);
        Assert.Equal(ConnectFailure.None, result.Status.ConnectFailure);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("me@host")]
    [InlineData("host:port")]
    [InlineData("")]
    public void Channel_AuthorityThatIsNone_IsRefused(string authority) =>
        Assert.Throws<ArgumentException>(() => new RawChannel(new ClientChannelOptions { Target = GrpcTarget.Parse("http://localhost:1"), Authority = authority }));

    [Theory]
    [InlineData(PeerKind.Node, Transport.Tcp)]
    [InlineData(PeerKind.Python, Transport.Unix)]
    [InlineData(PeerKind.Node, Transport.Tls)]
    public async Task Cancel_AtAnyMoment_FreesEverything(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        var big = new Message { Body = ByteString.CopyFrom(new byte[150_000]) };

        // Each call is cancelled after a different number of steps. The test asserts that all calls end and, by Cleanliness, that no exception is unobserved.
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            await using var call = wire.Start("Chat");
            var canceller = Task.Run(
                () =>
                {
                    Thread.SpinWait(i * 500);
                    call.Cancel();
                },
                Token);
            for (var step = 0; step < 5 && call.Status is null; step++)
            {
                await call.SendAsync(big);
                await call.NextAsync();
            }

            if (i % 2 == 0)
            {
                await canceller;
            }
        }));

        var after = await wire.UnaryAsync("Echo", new Message());
        Assert.Equal(StatusCode.OK, after.Status.Code);
    }

    private static Http2Peer SilentPeer() => new(async connection =>
    {
        await connection.GreetAsync();
        await connection.StayAsync();
    });
}
