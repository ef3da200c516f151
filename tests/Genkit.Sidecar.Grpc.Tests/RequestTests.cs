using System.Buffers;
using Genkit.Sidecar.Grpc.Tests.Peers;
using Microsoft.AspNetCore.Http;

namespace Genkit.Sidecar.Grpc.Tests;

/// <summary>What a request looks like to the one who gets it.</summary>
public sealed class RequestTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_Headers_AreThoseOfTheSpecification()
    {
        var (headers, method, path, _) = await CaptureAsync(
            target => new GrpcChannelOptions { Target = target, UserAgent = "test/1" },
            new GrpcCallOptions { Deadline = TimeSpan.FromSeconds(20) });

        Assert.Equal("POST", method);
        Assert.Equal("/a.B/C", path);
        Assert.Equal("application/grpc", headers["content-type"]);
        Assert.Equal("trailers", headers["te"]);
        Assert.Equal("test/1", headers["user-agent"]);
        Assert.Equal("identity,gzip", headers["grpc-accept-encoding"]);
        Assert.InRange(int.Parse(headers["grpc-timeout"].TrimEnd('u'), null), 10_000_000, 20_000_000);
        Assert.False(headers.ContainsKey("grpc-encoding"));
        Assert.False(headers.ContainsKey("traceparent"));
        Assert.False(headers.ContainsKey("content-length"));
        Assert.False(headers.ContainsKey("cookie"));
    }

    [Fact]
    public async Task Request_InsideAnActivity_CarriesNoHeaderOfIt()
    {
        using var activity = new System.Diagnostics.Activity("test").Start();

        var (headers, _, _, _) = await CaptureAsync(target => new GrpcChannelOptions { Target = target }, GrpcCallOptions.Default);

        Assert.False(headers.ContainsKey("traceparent"));
        Assert.False(headers.ContainsKey("Request-Id"));
    }

    [Fact]
    public async Task Request_AuthorityAndMetadata_AreSent()
    {
        var (headers, _, _, _) = await CaptureAsync(
            target => new GrpcChannelOptions { Target = target, Authority = "app.example:81", Metadata = new GrpcMetadata { { "authorization", "Bearer x" } } },
            new GrpcCallOptions { Metadata = new GrpcMetadata { { "traceparent", "00-1-2-01" }, { "x-bin", new byte[] { 1 } } } });

        Assert.Equal("app.example:81", headers["Host"]);
        Assert.Equal("Bearer x", headers["authorization"]);
        Assert.Equal("00-1-2-01", headers["traceparent"]);
        Assert.Equal("AQ", headers["x-bin"]);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 5)]
    [InlineData(false, 16_379)]
    [InlineData(false, 16_380)]
    [InlineData(false, 200_000)]
    [InlineData(true, 0)]
    [InlineData(true, 200_000)]
    public async Task Request_Message_IsPrefixedAndCompressedWhenAsked(bool compress, int size)
    {
        var message = new byte[size];
        var (headers, _, _, body) = await CaptureAsync(
            target => new GrpcChannelOptions { Target = target }, new GrpcCallOptions { Compress = compress }, message);

        var (flag, length) = MessagePrefix.Read(body);
        Assert.Equal(body.Length - MessagePrefix.Length, (int)length);
        if (!compress || size == 0)
        {
            Assert.Equal(0, flag);
            Assert.Equal(message, body[MessagePrefix.Length..]);
        }
        else
        {
            using var plain = new PooledSegments();
            Assert.Equal(1, flag);
            Assert.True(Gzip.TryDecompress(new ReadOnlySequence<byte>(body, MessagePrefix.Length, (int)length), size, plain));
            Assert.Equal(message, plain.Sequence.ToArray());
        }

        Assert.Equal(compress ? "gzip" : "", headers.GetValueOrDefault("grpc-encoding", ""));
    }

    [Fact]
    public async Task Request_OverTheSendLimit_IsRefusedHere()
    {
        await using var peer = await KestrelPeer.StartAsync(_ => Task.CompletedTask);
        using var channel = new GrpcChannel(new GrpcChannelOptions { Target = peer.Target, MaxSendMessageBytes = 10 });

        using var result = await channel.UnaryAsync("/a.B/C", new ReadOnlySequence<byte>(new byte[11]), GrpcCallOptions.Default, Token);

        Assert.Equal(GrpcStatusCode.ResourceExhausted, result.Status.Code);
        Assert.Contains("11 bytes", result.Status.Message, StringComparison.Ordinal);
        Assert.Contains("10 bytes", result.Status.Message, StringComparison.Ordinal);
    }

    private static async Task<(Dictionary<string, string> Headers, string Method, string Path, byte[] Body)> CaptureAsync(
        Func<GrpcTarget, GrpcChannelOptions> options, GrpcCallOptions call, byte[]? message = null)
    {
        Dictionary<string, string> headers = [];
        var (method, path) = ("", "");
        using var body = new MemoryStream();
        await using var peer = await KestrelPeer.StartAsync(async context =>
        {
            headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            (method, path) = (context.Request.Method, context.Request.Path.Value!);
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        });
        using var channel = new GrpcChannel(options(peer.Target));
        await using var started = channel.StartCall("/a.B/C", call, Token);
        await started.WriteAsync(new ReadOnlySequence<byte>(message ?? []), endOfStream: true, Token);
        Assert.False(await started.NextAsync());
        Assert.Equal(GrpcStatusCode.OK, started.Status!.Code);
        return (headers, method, path, body.ToArray());
    }
}
