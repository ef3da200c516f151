using System.Net;
using System.Text;
using Genkit.Sidecar.Grpc.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Grpc.Tests.Server;

/// <summary>Requests that are not proper gRPC.</summary>
public sealed class RefusalTests
{
    public static TheoryData<string, byte[], GrpcStatusCode, string> Bodies { get; } = new()
    {
        { "identity", [], GrpcStatusCode.Unimplemented, "sent none" },
        { "identity", [.. RawRequest.Framed(1), .. RawRequest.Framed(2)], GrpcStatusCode.Unimplemented, "sent more" },
        { "identity", [0, 0, 0], GrpcStatusCode.Internal, "in the middle of a message" },
        { "identity", [0, 0, 0, 0, 9, 1, 2], GrpcStatusCode.Internal, "in the middle of a message" },
        { "identity", [0, 0, 1, 0, 0, .. new byte[60_000]], GrpcStatusCode.Internal, "in the middle of a message" },
        { "identity", [.. RawRequest.Framed(1), 0, 0], GrpcStatusCode.Internal, "in the middle of a message" },
        { "identity", [0, 255, 255, 255, 255], GrpcStatusCode.ResourceExhausted, "4294967295 bytes, the limit for messages received is 100000 bytes" },
        { "identity", [0, 128, 0, 0, 0, 1], GrpcStatusCode.ResourceExhausted, "2147483648 bytes" },
        { "identity", [7, 0, 0, 0, 1, 1], GrpcStatusCode.Internal, "compressed flag 7" },
        { "identity", [1, 0, 0, 0, 1, 1], GrpcStatusCode.Internal, "without naming its compression" },
        { "gzip", [1, 0, 0, 0, 4, 1, 2, 3, 4], GrpcStatusCode.Internal, "not valid gzip" },
        { "gzip", [1, 0, 0, 0, 0], GrpcStatusCode.Internal, "not valid gzip" },
        { "identity", Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"), GrpcStatusCode.Internal, "may not speak gRPC" },
    };

    [Theory, MemberData(nameof(Bodies))]
    public async Task Body_OfGarbage_IsRefusedByName(string encoding, byte[] body, GrpcStatusCode code, string expected)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync, new GrpcServerOptions { MaxReceiveMessageBytes = 100_000 });
        using var http = new HttpClient();

        using var response = await http.ExchangeAsync(RawRequest.Create(host, body, ("grpc-encoding", encoding)));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var status = await response.StatusAsync();
        Assert.Equal(code, status.Code);
        Assert.Contains(expected, status.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("te", "", GrpcStatusCode.Internal, "te: trailers")]
    [InlineData("grpc-encoding", "br", GrpcStatusCode.Unimplemented, "'br'")]
    [InlineData("grpc-timeout", "5", GrpcStatusCode.Internal, "'5'")]
    [InlineData("grpc-timeout", "123456789S", GrpcStatusCode.Internal, "'123456789S'")]
    [InlineData("grpc-timeout", "0n", GrpcStatusCode.DeadlineExceeded, "0 s")]
    public async Task Header_NotUnderstood_IsRefusedBeforeTheHandler(string name, string value, GrpcStatusCode code, string expected)
    {
        await using var host = await GrpcHost.StartAsync(_ => throw new InvalidOperationException("called"));
        using var http = new HttpClient();

        using var response = await http.ExchangeAsync(RawRequest.Create(host, RawRequest.Framed(1), (name, value)));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/grpc", response.Content.Headers.ContentType?.ToString());

        // "Trailers-Only": one block of headers and nothing after it.
        Assert.True(response.Headers.Contains("grpc-status"));
        var status = await response.StatusAsync();
        Assert.Empty(response.TrailingHeaders);
        Assert.Equal(code, status.Code);
        Assert.Contains(expected, status.Message, StringComparison.Ordinal);
        Assert.Equal(name == "grpc-encoding" ? "identity,gzip" : "", string.Join(',', response.Headers.TryGetValues("grpc-accept-encoding", out var accepted) ? accepted : []));
    }

    [Theory]
    [InlineData("grpc-encoding", "identity")]
    [InlineData("grpc-timeout", "99999999H")]
    [InlineData("content-type", "application/grpc+proto")]
    [InlineData("content-type", "Application/gRPC; charset=utf-8")]
    public async Task Header_Unusual_IsTaken(string name, string value)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync);
        using var http = new HttpClient();

        using var response = await http.ExchangeAsync(RawRequest.Create(host, RawRequest.Framed(1), (name, value)));

        Assert.Equal(GrpcStatusCode.OK, (await response.StatusAsync()).Code);
    }

    [Theory]
    [InlineData("POST", "", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("POST", "application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("POST", "application/grpc-web", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("POST", "application/grpc+json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("GET", "application/grpc", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "application/grpc", HttpStatusCode.MethodNotAllowed)]
    public async Task Request_NotGrpc_GetsAnHttpError(string method, string contentType, HttpStatusCode expected)
    {
        await using var host = await GrpcHost.StartAsync(EchoAsync);
        using var http = new HttpClient();
        var request = RawRequest.Create(host, [], ("content-type", contentType));
        request.Method = new HttpMethod(method);

        using var response = await http.ExchangeAsync(request);

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.MethodNotAllowed ? ["POST"] : [], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task Request_OfHttp1_IsToldToUpgrade()
    {
        await using var host = await GrpcHost.StartAsync(
            null,
            server => server.Add(GrpcHost.Method, EchoAsync),
            static (application, server) => Microsoft.AspNetCore.Builder.RunExtensions.Run(application, server.HandleAsync),
            static endpoint => endpoint.Protocols = HttpProtocols.Http1);
        using var http = new HttpClient();
        var request = RawRequest.Create(host, RawRequest.Framed(1));
        request.Version = HttpVersion.Version11;

        using var response = await http.ExchangeAsync(request);

        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
        Assert.Equal("HTTP/2", response.Headers.Upgrade.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("test.Test/Method")]
    [InlineData("/Method")]
    [InlineData("/test.Test/")]
    [InlineData("/test.Test/A/B")]
    [InlineData("/test.Test/A?b")]
    [InlineData("/test.Test/A B")]
    public void Add_PathThatNoCallHas_IsRefused(string method)
    {
        var server = new GrpcServer(new GrpcServerOptions(), Microsoft.Extensions.Logging.Abstractions.NullLogger<GrpcServer>.Instance);

        Assert.Throws<ArgumentException>(() => server.Add(method, EchoAsync));
    }

    [Fact]
    public void Add_MethodTwice_IsRefused()
    {
        var server = new GrpcServer(new GrpcServerOptions(), Microsoft.Extensions.Logging.Abstractions.NullLogger<GrpcServer>.Instance);
        server.Add(GrpcHost.Method, EchoAsync);

        Assert.Throws<ArgumentException>(() => server.Add(GrpcHost.Method, EchoAsync));
    }

    private static async Task<GrpcStatus> EchoAsync(GrpcServerCall call)
    {
        await call.WriteAsync(await call.ReadSingleAsync(), flush: false);
        return GrpcStatus.OK;
    }
}
