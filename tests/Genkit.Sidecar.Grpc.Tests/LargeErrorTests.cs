using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>An error message within the channel's size limit fails only its own call.</summary>
public sealed class LargeErrorTests(PeerServers peers)
{
    private const int Kilobyte = 1024;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // grpc-js is left out: Node does not send header blocks over 64 KB.
    [Theory]
    [InlineData(PeerKind.Python, "x", 70 * Kilobyte)]
    [InlineData(PeerKind.Python, "x", 1024 * Kilobyte)]
    [InlineData(PeerKind.Python, "x", 3 * 1024 * Kilobyte)]
    [InlineData(PeerKind.Python, "é", 512 * Kilobyte)]
    [InlineData(PeerKind.Go, "x", 70 * Kilobyte)]
    [InlineData(PeerKind.Go, "x", 1024 * Kilobyte)]
    public async Task Status_LargeMessage_KeepsItsCodeAndDisturbsNoOtherCall(PeerKind kind, string text, int repeats)
    {
        using var wire = await peers.ChannelAsync(kind, Transport.Tcp);
        var connections = 0;
        wire.ConnectionEstablished += () => Interlocked.Increment(ref connections);
        await using var other = wire.Start("Chat");
        await other.SendAsync(new Message());
        Assert.True(await other.NextAsync());

        var failed = await wire.UnaryAsync("Fail", new Plan { Code = 9, Text = text, Size = repeats });

        Assert.Equal(StatusCode.FailedPrecondition, failed.Status.Code);
        AssertText(text, repeats, failed.Status.Message);
        await other.SendAsync(new Message());
        Assert.True(await other.NextAsync());
        await other.CompleteAsync();
        Assert.False(await other.NextAsync());
        Assert.Equal(StatusCode.OK, other.Status!.Code);
        Assert.Equal(1, connections);
    }

    [Theory]
    [InlineData("x", 70 * Kilobyte)]
    [InlineData("x", 1024 * Kilobyte)]
    [InlineData("x", 3 * 1024 * Kilobyte)]
    [InlineData("%C3%A9", 512 * Kilobyte)]
    public async Task Trailers_LargeMessage_KeepsItsCodeAndDisturbsNoOtherCall(string sent, int repeats)
    {
        await using var peer = TwoCalls(string.Concat(Enumerable.Repeat(sent, repeats)));

        var (failed, other) = await CallTwiceAsync(peer);

        Assert.Equal(StatusCode.Aborted, failed.Code);
        AssertText(Uri.UnescapeDataString(sent), repeats, failed.Message);
        Assert.Equal(StatusCode.OK, other.Code);
        Assert.Equal(1, peer.Connections);
    }

    // SocketsHttpHandler closes the connection of a peer that sends more headers than MaxResponseHeadersLength, which is 4 MiB or the limit of a message if that is
    // more. So a larger message does fail the other calls: they get UNAVAILABLE, and the next call opens a new connection.
    [Fact]
    public async Task Trailers_MessageBeyondTheBound_EndsTheConnectionAndTheNextCallDials()
    {
        await using var peer = TwoCalls(new string('x', 5 * 1024 * Kilobyte));

        using var channel = peer.Channel();
        var (failed, other) = await CallTwiceAsync(channel);

        Assert.NotEqual(StatusCode.OK, failed.Code);
        Assert.Equal(StatusCode.Unavailable, other.Code);
        Assert.Equal(ConnectFailure.None, other.ConnectFailure);
        await using var next = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await next.WriteAsync([1], endOfStream: true, Token);
        await next.HeadersReceived.WaitAsync(Timeouts.Default, Token);
        Assert.Equal(2, peer.Connections);
    }

    private static void AssertText(string text, int repeats, string message)
    {
        var expected = Math.Min(text.Length * repeats, CallStatus.MaxMessageLength);
        Assert.InRange(message.Length, expected, CallStatus.MaxMessageLength + 1);
        Assert.True(message[..expected].All(c => c == text[0]));
    }

    private static Http2Peer TwoCalls(string message) => new(async connection =>
    {
        await connection.GreetAsync();
        var other = await connection.RequestAsync();
        await connection.SendResponseHeadersAsync(other);
        var failing = await connection.RequestAsync();
        await connection.SendResponseHeadersAsync(failing);
        await connection.SendTrailersAsync(failing, ("grpc-status", "10"), ("grpc-message", message));
        await connection.SendTrailersAsync(other, ("grpc-status", "0"));
        await connection.StayAsync();
    });

    private static async Task<(CallStatus Failed, CallStatus Other)> CallTwiceAsync(Http2Peer peer)
    {
        using var channel = peer.Channel();
        return await CallTwiceAsync(channel);
    }

    private static async Task<(CallStatus Failed, CallStatus Other)> CallTwiceAsync(RawChannel channel)
    {
        await using var other = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await other.WriteAsync([1], endOfStream: true, Token);
        await other.HeadersReceived.WaitAsync(Timeouts.Default, Token);
        await using var failing = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await failing.WriteAsync([1], endOfStream: true, Token);
        await failing.DrainAsync();
        await other.DrainAsync();
        return (failing.Status!, other.Status!);
    }
}
