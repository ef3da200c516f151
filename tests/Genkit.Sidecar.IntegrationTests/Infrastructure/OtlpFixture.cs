using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using Genkit.Sidecar.Endpoints.Otlp;
using Genkit.Sidecar.Otlp;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>
/// The OTLP listeners alone, on free ports, and a client of each. The test decides how requests are answered. Disposing fails on an error in the
/// log that the test did not expect.
/// </summary>
internal sealed class OtlpFixture : IAsyncDisposable
{
    public const string Export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

    private readonly ILoggerFactory _logs;

    private OtlpFixture(string[] flags)
    {
        _logs = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(Log));
        var settings = SidecarFixture.Settings(["--manager", "ws://127.0.0.1:1", .. flags]);
        Listeners = new OtlpListeners(settings.Otlp, Take, _logs);
        Handler = (_, _, _) => Reply;
    }

    public LogCapture Log { get; } = new();

    public OtlpListeners Listeners { get; }

    /// <summary>The answer to each request.</summary>
    public OtlpReply Reply { get; set; } = new(OtlpVerdict.Accepted);

    /// <summary>Returns the reply to a request; by default <see cref="Reply"/>.</summary>
    public Func<OtlpSignal, OtlpEncoding, byte[], OtlpReply> Handler { get; set; }

    /// <summary>The requests that were received.</summary>
    public ConcurrentQueue<(OtlpSignal Signal, OtlpEncoding Encoding, byte[] Bytes)> Taken { get; } = new();

    public HttpClient Http { get; private set; } = new();

    public Uri HttpAddress => new(Listeners.Endpoints.Http);

    /// <summary>A channel to the gRPC listener.</summary>
    public GrpcChannel Channel() => GrpcChannel.ForAddress(Listeners.Endpoints.Grpc);

    /// <summary>Opens both listeners, on free ports unless <paramref name="flags"/> name others.</summary>
    public static async Task<OtlpFixture> StartAsync(params string[] flags)
    {
        string[] grpc = flags.Contains("--otlp-grpc") ? [] : ["--otlp-grpc", "127.0.0.1:0"];
        string[] http = flags.Contains("--otlp-http") ? [] : ["--otlp-http", "127.0.0.1:0"];
        var fixture = new OtlpFixture([.. grpc, .. http, .. flags]);
        Assert.True(await fixture.Listeners.OpenAsync(CancellationToken.None));
        if (fixture.Listeners.Endpoints.Http.Length > 0)
        {
            fixture.Http.BaseAddress = fixture.HttpAddress;
        }

        return fixture;
    }

    /// <summary>Posts a request and returns the response.</summary>
    public async Task<HttpResponseMessage> PostAsync(string path, byte[] body, string type, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = type.Length == 0 ? null : MediaTypeHeaderValue.Parse(type);
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value) || request.Content.Headers.TryAddWithoutValidation(name, value));
        }

        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public Task<HttpResponseMessage> PostJsonAsync(string body, params (string Name, string Value)[] headers) =>
        PostAsync("/v1/traces", Encoding.UTF8.GetBytes(body), "application/json", headers);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Listeners.DisposeAsync();
        _logs.Dispose();
        Assert.Empty(Log.UnexpectedErrors);
    }

    private OtlpReply Take(OtlpSignal signal, OtlpEncoding encoding, in ReadOnlySequence<byte> request)
    {
        var bytes = request.ToArray();
        Taken.Enqueue((signal, encoding, bytes));
        return Handler(signal, encoding, bytes);
    }
}
