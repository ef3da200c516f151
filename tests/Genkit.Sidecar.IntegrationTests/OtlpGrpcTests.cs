using System.Buffers;
using System.Net;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Otlp;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>OTLP over gRPC: which calls are taken, and with which status each ends.</summary>
public sealed class OtlpGrpcTests
{
    [Theory]
    [InlineData("trace.v1.TraceService", OtlpSignal.Traces)]
    [InlineData("metrics.v1.MetricsService", OtlpSignal.Metrics)]
    [InlineData("logs.v1.LogsService", OtlpSignal.Logs)]
    internal async Task Export_AnySignal_IsTaken(string service, OtlpSignal signal)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var channel = otlp.Channel();

        using var result = await CallAsync(channel, [1, 2, 3], $"/opentelemetry.proto.collector.{service}/Export");

        Assert.Equal(GrpcStatusCode.OK, result.Status.Code);
        Assert.True(result.Message.IsEmpty);
        var (taken, encoding, bytes) = Assert.Single(otlp.Taken);
        Assert.Equal((signal, OtlpEncoding.Protobuf), (taken, encoding));
        Assert.Equal([1, 2, 3], bytes);
    }

    [Fact]
    public async Task Export_PartlyAccepted_IsToldWhatWasNot()
    {
        await using var otlp = await OtlpFixture.StartAsync();
        otlp.Reply = new(OtlpVerdict.Accepted, 2, "no");
        using var channel = otlp.Channel();

        using var result = await CallAsync(channel, []);

        Assert.Equal([0x0A, 6, 0x08, 2, 0x12, 2, (byte)'n', (byte)'o'], result.Message.ToArray());
    }

    [Theory]
    [InlineData(OtlpVerdict.Malformed, GrpcStatusCode.InvalidArgument)]
    [InlineData(OtlpVerdict.Overloaded, GrpcStatusCode.Unavailable)]
    internal async Task Export_Refused_EndsWithItsStatus(OtlpVerdict verdict, GrpcStatusCode code)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        otlp.Reply = new(verdict, Problem: "so");
        using var channel = otlp.Channel();

        using var result = await CallAsync(channel, []);

        Assert.Equal((code, "so"), (result.Status.Code, result.Status.Message));
    }

    [Fact]
    public async Task Export_Compressed_IsUndone()
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var channel = otlp.Channel();
        var request = new byte[100_000];

        using var result = await CallAsync(channel, request, options: new GrpcCallOptions { Compress = true });

        Assert.Equal(GrpcStatusCode.OK, result.Status.Code);
        Assert.Equal(request, Assert.Single(otlp.Taken).Bytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Export_OverTheLimit_IsRefused(bool compress)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-max-request-bytes", "64KiB");
        using var channel = otlp.Channel();

        using var most = await CallAsync(channel, new byte[64 * 1024], options: new GrpcCallOptions { Compress = compress });
        using var more = await CallAsync(channel, new byte[(64 * 1024) + 1], options: new GrpcCallOptions { Compress = compress });

        Assert.Equal((GrpcStatusCode.OK, GrpcStatusCode.ResourceExhausted), (most.Status.Code, more.Status.Code));
        Assert.Single(otlp.Taken);
    }

    [Theory]
    [InlineData("/opentelemetry.proto.collector.trace.v1.TraceService/Import")]
    [InlineData("/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export")]
    public async Task Call_OtherMethod_IsUnimplemented(string method)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var channel = otlp.Channel();

        using var result = await CallAsync(channel, [], method);

        Assert.Equal(GrpcStatusCode.Unimplemented, result.Status.Code);
    }

    [Theory]
    [InlineData(null, GrpcStatusCode.Unauthenticated)]
    [InlineData("Bearer wrong", GrpcStatusCode.Unauthenticated)]
    [InlineData("Bearer s3cret", GrpcStatusCode.OK)]
    public async Task Export_WithToken_IsForThoseWhoHaveIt(string? authorization, GrpcStatusCode code)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-token", "s3cret");
        using var channel = otlp.Channel();
        var options = new GrpcCallOptions { Metadata = authorization is null ? null : new GrpcMetadata { { "authorization", authorization } } };

        using var result = await CallAsync(channel, [], options: options);

        Assert.Equal(code, result.Status.Code);
        Assert.Equal(code == GrpcStatusCode.OK ? 1 : 0, otlp.Taken.Count);
    }

    [Fact]
    public async Task Export_MessageStopsInTheMiddle_IsGivenUp()
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var channel = otlp.Channel();
        await using var call = channel.StartCall(OtlpFixture.Export, GrpcCallOptions.Default, TestContext.Current.CancellationToken);

        // One message has come, and whether that is all is not said.
        await call.WriteAsync(new ReadOnlySequence<byte>([1]), endOfStream: false, TestContext.Current.CancellationToken);

        Assert.False(await call.ReadAsync(TestContext.Current.CancellationToken).AsTask().InTimeAsync());
        Assert.NotEqual(GrpcStatusCode.OK, call.Status!.Code);
        Assert.Empty(otlp.Taken);
    }

    [Theory]
    [InlineData("identity", new byte[0])]
    [InlineData("identity", new byte[] { 0, 0, 0 })]
    [InlineData("identity", new byte[] { 0, 0, 0, 0, 9, 1, 2 })]
    [InlineData("identity", new byte[] { 0, 255, 255, 255, 255 })]
    [InlineData("identity", new byte[] { 7, 0, 0, 0, 1, 1 })]
    [InlineData("identity", new byte[] { 1, 0, 0, 0, 1, 1 })]
    [InlineData("identity", new byte[] { 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 2 })]
    [InlineData("gzip", new byte[] { 1, 0, 0, 0, 4, 1, 2, 3, 4 })]
    [InlineData("br", new byte[] { 1, 0, 0, 0, 1, 1 })]
    public async Task Export_BodyOfGarbage_IsRefusedAndNoErrorOfTheSidecar(string encoding, byte[] body)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(otlp.Listeners.Endpoints.Grpc), OtlpFixture.Export))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/grpc") } },
            Headers = { { "te", "trailers" }, { "grpc-encoding", encoding } },
        };

        using var response = await otlp.Http.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        var status = Assert.Single(response.TrailingHeaders.TryGetValues("grpc-status", out var trailer) ? trailer : response.Headers.GetValues("grpc-status"));
        Assert.NotEqual("0", status);
        Assert.Empty(otlp.Taken);
    }

    [Theory]
    [InlineData("POST", "application/json", 415)]
    [InlineData("POST", "application/grpc-web", 415)]
    [InlineData("GET", "application/grpc", 404)]
    public async Task Request_NotGrpc_HasItsStatus(string method, string type, int status)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-http", "off");
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(new Uri(otlp.Listeners.Endpoints.Grpc), OtlpFixture.Export))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([]) { Headers = { ContentType = new(type) } },
        };

        using var response = await otlp.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
    }

    private static async Task<GrpcUnaryResult> CallAsync(GrpcChannel channel, byte[] request, string method = OtlpFixture.Export, GrpcCallOptions? options = null) =>
        await channel.UnaryAsync(method, new ReadOnlySequence<byte>(request), options ?? GrpcCallOptions.Default, TestContext.Current.CancellationToken);
}
