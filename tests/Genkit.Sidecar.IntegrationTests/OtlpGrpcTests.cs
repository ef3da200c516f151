using System.Net;
using Genkit.Sidecar.Endpoints.Otlp;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Otlp;
using Grpc.Core;
using Grpc.Net.Client;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>OTLP over gRPC: which calls are accepted, and the status of each.</summary>
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

        var result = await CallAsync(channel, [1, 2, 3], $"/opentelemetry.proto.collector.{service}/Export");

        Assert.Equal(StatusCode.OK, result.Code);
        Assert.Empty(result.Message);
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

        var result = await CallAsync(channel, []);

        Assert.Equal([0x0A, 6, 0x08, 2, 0x12, 2, (byte)'n', (byte)'o'], result.Message);
    }

    [Theory]
    [InlineData(OtlpVerdict.Malformed, StatusCode.InvalidArgument)]
    [InlineData(OtlpVerdict.Overloaded, StatusCode.Unavailable)]
    internal async Task Export_Refused_EndsWithItsStatus(OtlpVerdict verdict, StatusCode code)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        otlp.Reply = new(verdict, Problem: "so");
        using var channel = otlp.Channel();

        var result = await CallAsync(channel, []);

        Assert.Equal((code, "so"), (result.Code, result.Detail));
    }

    [Fact]
    public async Task Export_Compressed_IsUndone()
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var channel = otlp.Channel();
        var request = new byte[100_000];

        var result = await CallAsync(channel, request, compress: true);

        Assert.Equal(StatusCode.OK, result.Code);
        Assert.Equal(request, Assert.Single(otlp.Taken).Bytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Export_OverTheLimit_IsRefused(bool compress)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-max-request-bytes", "64KiB");
        using var channel = otlp.Channel();

        var most = await CallAsync(channel, new byte[64 * 1024], compress: compress);
        var more = await CallAsync(channel, new byte[(64 * 1024) + 1], compress: compress);

        Assert.Equal((StatusCode.OK, StatusCode.ResourceExhausted), (most.Code, more.Code));
        Assert.Single(otlp.Taken);
    }

    [Theory]
    [InlineData("/opentelemetry.proto.collector.trace.v1.TraceService/Import")]
    [InlineData("/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export")]
    public async Task Call_OtherMethod_IsUnimplemented(string method)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var channel = otlp.Channel();

        var result = await CallAsync(channel, [], method);

        Assert.Equal(StatusCode.Unimplemented, result.Code);
    }

    [Theory]
    [InlineData(null, StatusCode.Unauthenticated)]
    [InlineData("Bearer wrong", StatusCode.Unauthenticated)]
    [InlineData("Bearer s3cret", StatusCode.OK)]
    public async Task Export_WithToken_IsForThoseWhoHaveIt(string? authorization, StatusCode code)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-token", "s3cret");
        using var channel = otlp.Channel();

        var result = await CallAsync(channel, [], authorization: authorization);

        Assert.Equal(code, result.Code);
        Assert.Equal(code == StatusCode.OK ? 1 : 0, otlp.Taken.Count);
    }

    [Fact]
    public async Task Export_MessageStopsInTheMiddle_IsGivenUp()
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var channel = otlp.Channel();
        using var call = channel.CreateCallInvoker().AsyncClientStreamingCall(
            Method(MethodType.ClientStreaming, OtlpFixture.Export), host: null, new CallOptions(cancellationToken: TestContext.Current.CancellationToken));

        // One message has arrived. Whether more follow is not known yet.
        await call.RequestStream.WriteAsync([1], TestContext.Current.CancellationToken);

        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTimeAsync());
        Assert.NotEqual(StatusCode.OK, exception.StatusCode);
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

    private static async Task<(StatusCode Code, string Detail, byte[] Message)> CallAsync(
        GrpcChannel channel, byte[] request, string method = OtlpFixture.Export, bool compress = false, string? authorization = null)
    {
        var headers = new Metadata();
        if (compress)
        {
            headers.Add("grpc-internal-encoding-request", "gzip");
        }

        if (authorization is not null)
        {
            headers.Add("authorization", authorization);
        }

        var options = new CallOptions(headers, cancellationToken: TestContext.Current.CancellationToken);
        using var call = channel.CreateCallInvoker().AsyncUnaryCall(Method(MethodType.Unary, method), host: null, options, request);
        try
        {
            return (StatusCode.OK, "", await call.ResponseAsync);
        }
        catch (RpcException exception)
        {
            return (exception.StatusCode, exception.Status.Detail, []);
        }
    }

    /// <summary>A method whose messages are bytes.</summary>
    private static Method<byte[], byte[]> Method(MethodType type, string path)
    {
        var bytes = Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes);
        var parts = path.Split('/');
        return new Method<byte[], byte[]>(type, parts[1], parts[2], bytes, bytes);
    }
}
