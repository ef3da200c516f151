using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>Protocol violations that real peers do not commit on cue.</summary>
public sealed class MisbehavingPeerTests
{
    private static readonly byte[] s_request = "request"u8.ToArray();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0x0, StatusCode.Internal)]
    [InlineData(0x1, StatusCode.Internal)]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x3, StatusCode.Internal)]
    [InlineData(0x5, StatusCode.Internal)]
    [InlineData(0x6, StatusCode.Internal)]
    [InlineData(0x7, StatusCode.Unavailable)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0x9, StatusCode.Internal)]
    [InlineData(0xa, StatusCode.Internal)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    [InlineData(0xc, StatusCode.PermissionDenied)]
    [InlineData(0xd, StatusCode.Internal)]
    [InlineData(0x77, StatusCode.Internal)]
    public async Task Reset_AfterHeaders_IsMappedAsSpecified(int http2Code, StatusCode expected)
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.ResetAsync(stream, http2Code);
        });

        Assert.Equal(expected, status.Code);
        Assert.Equal(ConnectFailure.None, status.ConnectFailure);
    }

    [Theory]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    public async Task Reset_BeforeHeaders_IsMappedAsSpecified(int http2Code, StatusCode expected)
    {
        var status = await StatusAsync((connection, stream) => connection.ResetAsync(stream, http2Code));

        Assert.Equal(expected, status.Code);
        Assert.Equal(ConnectFailure.None, status.ConnectFailure);
    }

    [Fact]
    public async Task Refused_RequestOfOneMessage_IsSentAgain()
    {
        var requests = 0;
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.GreetAsync();
            while (true)
            {
                var stream = await connection.RequestAsync();
                await connection.ReceiveAsync(Http2Peer.Connection.Data);
                if (Interlocked.Increment(ref requests) == 1)
                {
                    await connection.ResetAsync(stream, 7);
                }
                else
                {
                    await connection.SendResponseHeadersAsync(stream);
                    await connection.SendDataAsync(stream, Framed("answer"u8));
                    await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
                }
            }
        });
        using var channel = peer.Channel();

        var result = await channel.UnaryAsync("/a.B/C", s_request, RawCallOptions.Default, Token).WaitAsync(Timeouts.Default, Token);

        Assert.Equal(StatusCode.OK, result.Status.Code);
        Assert.Equal("answer", Encoding.ASCII.GetString(result.Message));
        Assert.Equal(2, requests);
    }

    [Fact]
    public async Task Refused_StreamedRequest_IsUnavailable()
    {
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.GreetAsync();
            while (true)
            {
                var stream = await connection.RequestAsync();
                await connection.ReceiveAsync(Http2Peer.Connection.Data);
                await connection.ResetAsync(stream, 7);
            }
        });
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/Stream", RawCallOptions.Default, Token);

        await call.WriteAsync(s_request, endOfStream: false, Token);

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.Unavailable, call.Status!.Code);
        Assert.Equal(ConnectFailure.None, call.Status.ConnectFailure);
        await call.WriteAsync(s_request, endOfStream: false, Token);
        await call.CompleteAsync();
    }

    [Fact]
    public async Task Refused_AgainAndAgain_IsUnavailable()
    {
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.GreetAsync();
            while (true)
            {
                await connection.ResetAsync(await connection.RequestAsync(), 7);
            }
        });
        using var channel = peer.Channel();

        var result = await channel.UnaryAsync("/a.B/C", s_request, RawCallOptions.Default, Token).WaitAsync(Timeouts.Default, Token);

        Assert.Equal(StatusCode.Unavailable, result.Status.Code);
        Assert.Equal(ConnectFailure.None, result.Status.ConnectFailure);
    }

    [Fact]
    public async Task GoAway_BelowTheRequest_SendsItAgainOnANewConnection()
    {
        var connections = 0;
        await using var peer = new Http2Peer(async connection =>
        {
            var isFirst = Interlocked.Increment(ref connections) == 1;
            await connection.GreetAsync();
            var stream = await connection.RequestAsync();
            await connection.ReceiveAsync(Http2Peer.Connection.Data);
            if (isFirst)
            {
                await connection.SendGoAwayAsync(0, 0);
            }
            else
            {
                await connection.SendResponseHeadersAsync(stream);
                await connection.SendDataAsync(stream, Framed("answer"u8));
                await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
            }

            await connection.StayAsync();
        });
        using var channel = peer.Channel();

        var result = await channel.UnaryAsync("/a.B/C", s_request, RawCallOptions.Default, Token).WaitAsync(Timeouts.Default, Token);

        Assert.Equal(StatusCode.OK, result.Status.Code);
        Assert.Equal(2, connections);
    }

    [Fact]
    public async Task GoAway_AboveTheCall_LetsItFinishAndTheNextOneDial()
    {
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.GreetAsync();
            var stream = await connection.RequestAsync();
            await connection.SendGoAwayAsync(stream, 0);
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendDataAsync(stream, Framed("answer"u8));
            await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
            await connection.StayAsync();
        });
        using var channel = peer.Channel();

        for (var i = 0; i < 2; i++)
        {
            var result = await channel.UnaryAsync("/a.B/C", s_request, RawCallOptions.Default, Token).WaitAsync(Timeouts.Default, Token);
            Assert.Equal(StatusCode.OK, result.Status.Code);
        }

        Assert.Equal(2, peer.Connections);
    }

    [Fact]
    public async Task Connection_LostAfterARequest_IsUnavailableAndNotAConnectFailure()
    {
        var status = await StatusAsync((connection, _) =>
        {
            connection.Stream.Close();
            return Task.CompletedTask;
        });

        Assert.Equal(StatusCode.Unavailable, status.Code);
        Assert.Equal(ConnectFailure.None, status.ConnectFailure);
        Assert.Contains("was lost", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_GarbageAfterTheGreeting_EndsTheCall()
    {
        var status = await StatusAsync((connection, _) => connection.SendRawAsync("garbage garbage garbage garbage"u8.ToArray()));

        Assert.Contains(status.Code, new[] { StatusCode.Unavailable, StatusCode.Internal });
        Assert.Equal(ConnectFailure.None, status.ConnectFailure);
    }

    [Fact]
    public async Task Trailers_WithoutStatus_IsUnknown()
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendTrailersAsync(stream, ("x-other", "1"));
        });

        Assert.Equal(StatusCode.Unknown, status.Code);
        Assert.Contains("without a grpc-status", status.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("17")]
    [InlineData("99999999999999999999")]
    public async Task Trailers_StatusThatIsNone_IsUnknownAndNamesIt(string sent)
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendTrailersAsync(stream, ("grpc-status", sent), ("grpc-message", "why"));
        });

        Assert.Equal(StatusCode.Unknown, status.Code);
        Assert.Contains(sent, status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trailers_RawUtf8AndPaddedDetails_AreRead()
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendTrailersAsync(
                stream, ("grpc-status", "3"), ("grpc-message", Encoding.Latin1.GetString("Käse %zz %2"u8)), ("grpc-status-details-bin", "AQ=="));
        });

        Assert.Equal(StatusCode.InvalidArgument, status.Code);
        Assert.Equal("Käse %zz %2", status.Message);
        Assert.Equal([1], status.Trailers.GetValueBytes("grpc-status-details-bin"));
    }

    [Fact]
    public async Task TrailersOnly_Status_IsRead()
    {
        var status = await StatusAsync((connection, stream) => connection.SendHeadersAsync(
            stream, true, (":status", "200"), ("content-type", "application/grpc+proto"), ("grpc-status", "5"), ("grpc-message", "no%20such%20thing")));

        Assert.Equal(StatusCode.NotFound, status.Code);
        Assert.Equal("no such thing", status.Message);
    }

    [Theory]
    [InlineData("400", StatusCode.Internal)]
    [InlineData("401", StatusCode.Unauthenticated)]
    [InlineData("403", StatusCode.PermissionDenied)]
    [InlineData("404", StatusCode.Unimplemented)]
    [InlineData("429", StatusCode.Unavailable)]
    [InlineData("500", StatusCode.Unknown)]
    [InlineData("502", StatusCode.Unavailable)]
    [InlineData("503", StatusCode.Unavailable)]
    [InlineData("504", StatusCode.Unavailable)]
    [InlineData("302", StatusCode.Unknown)]
    public async Task HttpStatus_OtherThan200_IsMappedAsSpecified(string httpStatus, StatusCode expected)
    {
        var status = await StatusAsync((connection, stream) => connection.SendHeadersAsync(stream, true, (":status", httpStatus), ("content-type", "text/html")));

        Assert.Equal(expected, status.Code);
        Assert.Contains(httpStatus, status.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/grpc-web")]
    [InlineData("application/json")]
    public async Task ContentType_OtherThanGrpc_IsUnknownAndNamed(string contentType)
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, false, (":status", "200"), ("content-type", contentType));
            await connection.SendDataAsync(stream, "hello"u8, endStream: true);
        });

        Assert.Equal(StatusCode.Unknown, status.Code);
        Assert.Contains(contentType, status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HttpStatus_WithGrpcStatus_GrpcStatusWins()
    {
        var status = await StatusAsync((connection, stream) => connection.SendHeadersAsync(
            stream, true, (":status", "503"), ("content-type", "application/grpc"), ("grpc-status", "8"), ("grpc-message", "busy")));

        Assert.Equal(StatusCode.ResourceExhausted, status.Code);
        Assert.Equal("busy", status.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    public async Task Response_EndsInsideAMessage_IsInternal(int bytes)
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendDataAsync(stream, Framed("answer"u8).AsSpan(0, bytes));
            await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
        });

        Assert.Equal(StatusCode.Internal, status.Code);
        Assert.Contains("not a gRPC message", status.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task Response_CutAnywhere_GivesTheSameMessages(int step)
    {
        byte[][] messages = [[], [1], [.. Enumerable.Range(0, 300).Select(i => (byte)i)], [], "last"u8.ToArray()];
        await using var peer = AnsweringPeer(async (connection, stream) =>
        {
            var all = messages.SelectMany(m => Framed(m)).ToArray();
            await connection.SendResponseHeadersAsync(stream);
            for (var i = 0; i < all.Length; i += step)
            {
                await connection.SendDataAsync(stream, all.AsSpan(i, Math.Min(step, all.Length - i)));
            }

            await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
        });
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_request, endOfStream: true, Token);

        foreach (var message in messages)
        {
            Assert.True(await call.NextAsync());
            Assert.Equal(message, call.Message);
        }

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.OK, call.Status!.Code);
    }

    [Fact]
    public async Task Response_AnnouncesMoreThanTheLimit_IsRefusedBeforeItComes()
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendDataAsync(stream, [0, 255, 255, 255, 255]);
            await connection.ReceiveAsync(Http2Peer.Connection.RstStream);
        });

        Assert.Equal(StatusCode.ResourceExhausted, status.Code);
        Assert.True(status.IsOverReceiveLimit);
        Assert.Contains("1000000 bytes", status.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 1, StatusCode.Internal)]
    [InlineData("identity", 1, StatusCode.Internal)]
    [InlineData("snappy", 1, StatusCode.Internal)]
    [InlineData("gzip", 1, StatusCode.Internal)]
    [InlineData("gzip", 2, StatusCode.Internal)]
    [InlineData("snappy", 0, StatusCode.OK)]
    public async Task Response_CompressionThatIsNot_IsInternal(string? encoding, byte flag, StatusCode expected)
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream, encoding is null ? [] : [("grpc-encoding", encoding)]);
            var framed = Framed("no gzip"u8);
            framed[0] = flag;
            await connection.SendDataAsync(stream, framed);
            await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
        });

        Assert.Equal(expected, status.Code);
    }

    [Fact]
    public async Task Response_GzipCutShort_IsInternal()
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream, ("grpc-encoding", "gzip"));
            var framed = Framed(Gzipped(new byte[100_000]).AsSpan()[..^20]);
            framed[0] = 1;
            await connection.SendDataAsync(stream, framed);
            await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
        });

        Assert.Equal(StatusCode.Internal, status.Code);
    }

    [Fact]
    public async Task Response_GzipBomb_IsRefusedAtTheLimit()
    {
        var status = await StatusAsync(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream, ("grpc-encoding", "gzip"));
            var framed = Framed(Gzipped(new byte[10_000_000]));
            framed[0] = 1;
            await connection.SendDataAsync(stream, framed);
        });

        Assert.Equal(StatusCode.ResourceExhausted, status.Code);
    }

    [Fact]
    public async Task Response_TwoMessagesToAUnaryCall_IsInternal()
    {
        await using var peer = AnsweringPeer(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendDataAsync(stream, [.. Framed("one"u8), .. Framed("two"u8)]);
            await connection.SendTrailersAsync(stream, ("grpc-status", "0"));
        });
        using var channel = peer.Channel();

        var result = await channel.UnaryAsync("/a.B/C", s_request, RawCallOptions.Default, Token).WaitAsync(Timeouts.Default, Token);

        Assert.Equal(StatusCode.Internal, result.Status.Code);
        Assert.Empty(result.Message);
    }

    [Fact]
    public async Task Write_PeerAnswersEarlyAndEnds_DoesNotThrow()
    {
        await using var peer = AnsweringPeer(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            await connection.SendTrailersAsync(stream, ("grpc-status", "7"), ("grpc-message", "not you"));
            await connection.ResetAsync(stream, 0);
        });
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_request, endOfStream: false, Token);
        await call.HeadersReceived.WaitAsync(Timeouts.Default, Token);

        for (var i = 0; i < 100; i++)
        {
            await call.WriteAsync(new byte[10_000], endOfStream: false, Token).WaitAsync(Timeouts.Default, Token);
        }

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.PermissionDenied, call.Status!.Code);
        Assert.Equal("not you", call.Status.Message);
        await call.WriteAsync(s_request, endOfStream: true, Token);
    }

    [Fact]
    public async Task Cancel_OpenCall_ResetsTheStreamWithCancel()
    {
        var reset = new TaskCompletionSource<byte[]>();
        await using var peer = AnsweringPeer(async (connection, stream) =>
        {
            await connection.SendResponseHeadersAsync(stream);
            reset.SetResult((await connection.ReceiveAsync(Http2Peer.Connection.RstStream)).Payload);
        });
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_request, endOfStream: false, Token);
        await call.HeadersReceived.WaitAsync(Timeouts.Default, Token);

        call.Cancel();

        Assert.Equal([0, 0, 0, 8], await reset.Task.WaitAsync(Timeouts.Default, Token));
        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
    }

    private static byte[] Framed(ReadOnlySpan<byte> message)
    {
        var framed = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(5));
        return framed;
    }

    private static byte[] Gzipped(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return output.ToArray();
    }

    private static Http2Peer AnsweringPeer(Func<Http2Peer.Connection, int, Task> answer) => new(async connection =>
    {
        await connection.GreetAsync();
        var stream = await connection.RequestAsync();
        await answer(connection, stream);
        await connection.StayAsync();
    });

    private static async Task<CallStatus> StatusAsync(Func<Http2Peer.Connection, int, Task> answer)
    {
        await using var peer = AnsweringPeer(answer);
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(s_request, endOfStream: true, Token);
        await call.DrainAsync();
        return call.Status!;
    }
}
