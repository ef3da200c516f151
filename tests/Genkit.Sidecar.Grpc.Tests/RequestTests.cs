using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>A request as its server receives it.</summary>
public sealed class RequestTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_Headers_AreThoseOfTheSpecification()
    {
        var (headers, method, path, _) = await CaptureAsync(
            target => new ClientChannelOptions { Target = target, UserAgent = "genkit-sidecar/1.2.3" },
            new RawCallOptions { Deadline = TimeSpan.FromSeconds(20) });

        Assert.Equal("POST", method);
        Assert.Equal("/a.B/C", path);
        Assert.Equal("application/grpc", headers["content-type"]);
        Assert.Equal("trailers", headers["te"]);
        Assert.StartsWith("genkit-sidecar/1.2.3 grpc-dotnet/", headers["user-agent"], StringComparison.Ordinal);
        Assert.Equal("identity,gzip", headers["grpc-accept-encoding"]);
        Assert.Matches("^(20S|19[0-9]*[Sm])$", headers["grpc-timeout"]);
        Assert.False(headers.ContainsKey("grpc-encoding"));
        Assert.False(headers.ContainsKey("traceparent"));
        Assert.False(headers.ContainsKey("content-length"));
        Assert.False(headers.ContainsKey("cookie"));
    }

    [Fact]
    public async Task Request_InsideAnActivity_CarriesNoHeaderOfIt()
    {
        using var activity = new System.Diagnostics.Activity("test").Start();

        var (headers, _, _, _) = await CaptureAsync(target => new ClientChannelOptions { Target = target }, RawCallOptions.Default);

        Assert.False(headers.ContainsKey("traceparent"));
        Assert.False(headers.ContainsKey("Request-Id"));
    }

    [Fact]
    public async Task Request_AuthorityAndMetadata_AreSent()
    {
        var (headers, _, _, _) = await CaptureAsync(
            target => new ClientChannelOptions { Target = target, Authority = "app.example:81", Metadata = [new("authorization", "Bearer x")] },
            new RawCallOptions { Metadata = new Metadata { { "traceparent", "00-1-2-01" }, { "x-bin", new byte[] { 1 } } } });

        Assert.Equal("app.example:81", headers["Host"]);
        Assert.Equal("Bearer x", headers["authorization"]);
        Assert.Equal("00-1-2-01", headers["traceparent"]);
        Assert.Equal("AQ", headers["x-bin"].TrimEnd('='));
    }

    private static async Task<(Dictionary<string, string> Headers, string Method, string Path, byte[] Body)> CaptureAsync(
        Func<GrpcTarget, ClientChannelOptions> options, RawCallOptions call, byte[]? message = null)
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
        using var channel = new RawChannel(options(peer.Target));
        await using var started = channel.StartCall("/a.B/C", call, Token);
        await started.WriteAsync(message ?? [], endOfStream: true, Token);
        Assert.False(await started.NextAsync());
        Assert.Equal(StatusCode.OK, started.Status!.Code);
        return (headers, method, path, body.ToArray());
    }
}
