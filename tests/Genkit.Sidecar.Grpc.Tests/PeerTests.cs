using System.Text;
using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>The same cases for each gRPC implementation and each transport.</summary>
public sealed class PeerTests(PeerServers peers)
{
    public static TheoryData<PeerKind, Transport> Everywhere { get; } = new(
        from kind in Enum.GetValues<PeerKind>()
        from transport in new[] { Transport.Tcp, Transport.Unix, Transport.Tls }
        select (kind, transport));

    public static TheoryData<PeerKind, Transport, int> Sizes { get; } = new(
        from kind in Enum.GetValues<PeerKind>()
        from transport in Enum.GetValues<Transport>()
        from size in new[] { 0, 1, 4_090, 16_379, 16_380, 65_529, 65_537, 1_000_003, 32 * 1024 * 1024 }
        where size < 1_000_000 || transport is Transport.Tcp or Transport.Gzip
        where kind == PeerKind.Python || transport != Transport.Gzip
        select (kind, transport, size));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Sizes))]
    public async Task Unary_MessageOfAnySize_ComesBackUnchanged(PeerKind kind, Transport transport, int size)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        var body = new byte[size];
        new Random(size).NextBytes(body);

        var result = await wire.UnaryAsync("Echo", new Message { Body = ByteString.CopyFrom(body) });

        Assert.Equal(StatusCode.OK, result.Status.Code);
        Assert.True(body.AsSpan().SequenceEqual(result.Body()));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Metadata_TextAndBytes_TravelsBothWays(PeerKind kind, Transport transport)
    {
        byte[][] values = [[], [0], [255, 254], [1, 2, 3], [0, 1, 2, 3, 4, 5, 6, 250]];
        var metadata = new Metadata { { "x-text", "a b,c=d;~" } };
        for (var i = 0; i < values.Length; i++)
        {
            metadata.Add($"x-{i}-bin", values[i]);
        }

        using var wire = await peers.ChannelAsync(kind, transport);
        var result = await wire.UnaryAsync("Echo", new Message(), new RawCallOptions { Metadata = metadata });

        Assert.Equal(StatusCode.OK, result.Status.Code);
        Assert.Equal("a b,c=d;~", result.ResponseHeaders.GetValue("x-text"));
        Assert.Equal("a b,c=d;~", result.Trailers.GetValue("trailer-x-text"));
        for (var i = 0; i < values.Length; i++)
        {
            Assert.Equal(values[i], result.ResponseHeaders.GetValueBytes($"x-{i}-bin"));
            Assert.Equal(values[i], result.Trailers.GetValueBytes($"trailer-x-{i}-bin"));
        }
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Metadata_OfChannelAndCall_IsSentTogether(PeerKind kind, Transport transport)
    {
        var peer = await peers.GetAsync(kind);
        var options = peer.Options(transport);
        using var wire = new WireChannel(new ClientChannelOptions
        {
            Target = options.Target,
            CertificateAuthorities = options.CertificateAuthorities,
            Metadata = [new("x-channel", "1")],
            Authority = "localhost:1234",
        });

        var result = await wire.UnaryAsync("Echo", new Message(), new RawCallOptions { Metadata = new Metadata { { "x-call", "2" } } });

        Assert.Equal("1", result.ResponseHeaders.GetValue("x-channel"));
        Assert.Equal("2", result.ResponseHeaders.GetValue("x-call"));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task ServerStream_ThousandMessages_ComeInOrder(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        await using var call = await wire.StartAsync("Download", new Plan { Count = 1000, Size = 90 });

        for (var i = 0; i < 1000; i++)
        {
            Assert.True(await call.NextAsync());
            var body = call.Body();
            Assert.Equal(90, body.Length);
            Assert.Equal((byte)i, body[0]);
        }

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.OK, call.Status!.Code);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task ServerStream_SlowReader_LosesNothing(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        await using var slow = await wire.StartAsync("Download", new Plan { Count = 100, Size = 100_000 });
        Assert.True(await slow.NextAsync());

        var other = await wire.UnaryAsync("Echo", new Message { Body = ByteString.CopyFromUtf8("overtakes") });
        Assert.Equal("overtakes", Encoding.UTF8.GetString(other.Body()));

        for (var i = 1; i < 100; i++)
        {
            Assert.True(await slow.NextAsync());
            Assert.Equal((byte)i, slow.Body()[0]);
        }

        Assert.False(await slow.NextAsync());
        Assert.Equal(StatusCode.OK, slow.Status!.Code);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Bidi_MessagesInTurn_AreAnsweredBeforeTheHalfClose(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        await using var call = wire.Start("Chat");

        for (var i = 0; i < 20; i++)
        {
            await call.SendAsync(new Message { Body = ByteString.CopyFromUtf8($"message {i}") });
            Assert.True(await call.NextAsync());
            Assert.Equal($"message {i}", Encoding.UTF8.GetString(call.Body()));
        }

        await call.CompleteAsync();
        await call.CompleteAsync();
        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.OK, call.Status!.Code);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Bidi_ThousandMessagesBothWaysAtOnce_ComeInOrder(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        await using var call = wire.Start("Chat");

        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < 1000; i++)
                {
                    await call.SendAsync(new Message { Body = ByteString.CopyFrom(new byte[i]) }, endOfStream: i == 999);
                }
            },
            Token);
        for (var i = 0; i < 1000; i++)
        {
            Assert.True(await call.NextAsync());
            Assert.Equal(i, call.Body().Length);
        }

        await writing;
        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.OK, call.Status!.Code);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Bidi_NoMessageAtAll_EndsWithOk(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        await using var call = wire.Start("Chat");

        await call.CompleteAsync();

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.OK, call.Status!.Code);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Write_PeerDoesNotRead_WaitsUntilItDoes(PeerKind kind, Transport transport)
    {
        const int Count = 250;
        const int Size = 100_000;
        var key = Guid.NewGuid().ToString();
        using var wire = await peers.ChannelAsync(kind, transport);
        await using var call = wire.Start("Stall", new RawCallOptions { Metadata = new Metadata { { "x-key", key } } });
        var message = new Message { Body = ByteString.CopyFrom(new byte[Size]) };

        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    await call.SendAsync(message, endOfStream: i == Count - 1);
                }
            },
            Token);
        var other = await wire.UnaryAsync("Echo", new Message());
        Assert.Equal(StatusCode.OK, other.Status.Code);
        Assert.False(writing.IsCompleted);
        var release = await wire.UnaryAsync("Release", new Plan { Key = key });
        Assert.Equal(StatusCode.OK, release.Status.Code);

        await writing.WaitAsync(Timeouts.Default, Token);
        Assert.True(await call.NextAsync());
        var total = Plan.Parser.ParseFrom(call.Message);
        Assert.Equal(Count, total.Count);
        Assert.Equal((long)Count * Size, total.Size);
        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.OK, call.Status!.Code);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Cancel_WhileThePeerWorks_IsSeenOnBothSides(PeerKind kind, Transport transport)
    {
        var key = Guid.NewGuid().ToString();
        using var wire = await peers.ChannelAsync(kind, transport);
        await using var call = await wire.StartAsync("Wait", new Plan { Key = key });
        Assert.True(await call.NextAsync());
        var next = call.NextAsync();

        call.Cancel();

        Assert.False(await next);
        Assert.Equal(StatusCode.Cancelled, call.Status!.Code);
        var observed = await wire.UnaryAsync("Observe", new Plan { Key = key });
        Assert.Equal("cancelled", Encoding.UTF8.GetString(observed.Body()));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Dispose_WhileThePeerWorks_CancelsTheCall(PeerKind kind, Transport transport)
    {
        var key = Guid.NewGuid().ToString();
        using var wire = await peers.ChannelAsync(kind, transport);
        await using (var call = await wire.StartAsync("Wait", new Plan { Key = key }))
        {
            Assert.True(await call.NextAsync());
        }

        var observed = await wire.UnaryAsync("Observe", new Plan { Key = key });
        Assert.Equal("cancelled", Encoding.UTF8.GetString(observed.Body()));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Deadline_Passes_IsSeenOnBothSides(PeerKind kind, Transport transport)
    {
        var key = Guid.NewGuid().ToString();
        using var wire = await peers.ChannelAsync(kind, transport);
        // The connection is established afterwards. The call gets the rest of the deadline.
        await wire.UnaryAsync("Fail", new Plan { Code = 9 });
        await using var call = await wire.StartAsync("Wait", new Plan { Key = key }, new RawCallOptions { Deadline = TimeSpan.FromSeconds(1.5) });
        Assert.True(await call.NextAsync());

        await call.DrainAsync();

        Assert.Equal(StatusCode.DeadlineExceeded, call.Status!.Code);
        Assert.Equal(ConnectFailure.None, call.Status.ConnectFailure);
        var observed = await wire.UnaryAsync("Observe", new Plan { Key = key });
        Assert.Equal("cancelled", Encoding.UTF8.GetString(observed.Body()));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Status_WithDetailsAndUnicode_ComesWhole(PeerKind kind, Transport transport)
    {
        const string Text = "no «Käse» for 100% of 👩‍🚀\n\ttoday";
        byte[] details = [8, 3, 18, 0, 255, 128];
        using var wire = await peers.ChannelAsync(kind, transport);

        foreach (var count in new[] { 0, 3 })
        {
            await using var call = await wire.StartAsync(
                "Fail", new Plan { Count = count, Code = 9, Text = Text, Details = ByteString.CopyFrom(details) });
            Assert.Equal(count, await call.DrainAsync());

            Assert.Equal(StatusCode.FailedPrecondition, call.Status!.Code);
            Assert.Equal(Text, call.Status.Message);
            if (kind != PeerKind.Go)
            {
                // grpc-go sends grpc-status-details-bin only for a valid google.rpc.Status.
                Assert.Equal(details, call.Trailers.GetValueBytes("grpc-status-details-bin"));
            }

            Assert.Equal("planned", call.Trailers.GetValue("x-cause"));
        }
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Status_OfEveryCode_IsKept(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);
        foreach (var code in Enum.GetValues<StatusCode>().Where(c => c != StatusCode.OK))
        {
            var result = await wire.UnaryAsync("Fail", new Plan { Code = (int)code, Text = "planned" });

            Assert.Equal(code, result.Status.Code);
            Assert.Equal("planned", result.Status.Message);
        }
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Method_NotOffered_IsUnimplemented(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);

        var result = await wire.UnaryAsync("Missing", new Message());

        Assert.Equal(StatusCode.Unimplemented, result.Status.Code);
        Assert.Equal(ConnectFailure.None, result.Status.ConnectFailure);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Response_OverTheLimit_IsRefusedWithTheLimit(PeerKind kind, Transport transport)
    {
        var options = (await peers.GetAsync(kind)).Options(transport);
        using var wire = new WireChannel(new ClientChannelOptions
        {
            Target = options.Target,
            CertificateAuthorities = options.CertificateAuthorities,
            MaxReceiveMessageBytes = 1000,
        });
        await using var call = await wire.StartAsync("Download", new Plan { Count = 1000, Size = 50_000 });

        Assert.False(await call.NextAsync());

        Assert.Equal(StatusCode.ResourceExhausted, call.Status!.Code);
        Assert.True(call.Status.IsOverReceiveLimit);
        Assert.Contains("1000 bytes", call.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Response_DecompressesPastTheLimit_IsRefused()
    {
        var options = (await peers.GetAsync(PeerKind.Python)).Options(Transport.Gzip);
        using var wire = new WireChannel(new ClientChannelOptions { Target = options.Target, MaxReceiveMessageBytes = 1_000_000 });

        var result = await wire.UnaryAsync("Download", new Plan { Count = 1, Size = 20_000_000 });

        Assert.Equal(StatusCode.ResourceExhausted, result.Status.Code);
        Assert.True(result.Status.IsOverReceiveLimit);
        Assert.Contains("1000000 bytes", result.Status.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Peer_DiesDuringTheCall_IsUnavailableAndNotAConnectFailure(PeerKind kind, Transport transport)
    {
        await using var peer = await Peer.StartAsync(kind, Token).WaitAsync(Timeouts.Default, Token);
        using var wire = new WireChannel(peer.Options(transport));
        await using var call = await wire.StartAsync("Wait", new Plan { Key = "never" });
        Assert.True(await call.NextAsync());

        var death = await wire.UnaryAsync("Die", new Plan());
        Assert.Equal(StatusCode.Unavailable, death.Status.Code);
        Assert.Equal(ConnectFailure.None, death.Status.ConnectFailure);

        Assert.False(await call.NextAsync());
        Assert.Equal(StatusCode.Unavailable, call.Status!.Code);
        Assert.Equal(ConnectFailure.None, call.Status.ConnectFailure);
        Assert.Contains("was lost", call.Status.Message, StringComparison.Ordinal);
        await peer.DeathAsync();

        var next = await wire.UnaryAsync("Echo", new Message());
        Assert.Equal(StatusCode.Unavailable, next.Status.Code);
        Assert.Equal(ConnectFailure.Unreachable, next.Status.ConnectFailure);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public async Task Unary_ManyAtOnce_AllGetTheirOwnAnswer(PeerKind kind, Transport transport)
    {
        using var wire = await peers.ChannelAsync(kind, transport);

        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            var result = await wire.UnaryAsync("Echo", new Message { Body = ByteString.CopyFromUtf8($"call {i}") });
            Assert.Equal(StatusCode.OK, result.Status.Code);
            Assert.Equal($"call {i}", Encoding.UTF8.GetString(result.Body()));
        }));
    }

}
