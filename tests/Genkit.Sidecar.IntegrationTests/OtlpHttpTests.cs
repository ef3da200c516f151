using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.Endpoints.Otlp;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Otlp;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>OTLP over HTTP: which requests are accepted, and the answer to each.</summary>
public sealed class OtlpHttpTests
{
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";

    [Theory]
    [InlineData("/v1/traces", OtlpSignal.Traces)]
    [InlineData("/v1/metrics", OtlpSignal.Metrics)]
    [InlineData("/v1/logs", OtlpSignal.Logs)]
    internal async Task Post_AnySignalInBothEncodings_IsTakenAndAnsweredInItsEncoding(string path, OtlpSignal signal)
    {
        await using var otlp = await OtlpFixture.StartAsync();

        using var protobuf = await otlp.PostAsync(path, [1, 2, 3], Protobuf);
        using var json = await otlp.PostAsync(path, "{ }"u8.ToArray(), Json);

        Assert.Equal((200, Protobuf, ""), await AnswerAsync(protobuf));
        Assert.Equal((200, Json, "{}"), await AnswerAsync(json));
        Assert.Equal([(signal, OtlpEncoding.Protobuf), (signal, OtlpEncoding.Json)], otlp.Taken.Select(taken => (taken.Signal, taken.Encoding)));
        Assert.Equal([[1, 2, 3], "{ }"u8.ToArray()], otlp.Taken.Select(taken => taken.Bytes));
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("Application/JSON;charset=\"UTF-8\"")]
    public async Task Post_ContentTypeWithParameters_IsTaken(string type)
    {
        await using var otlp = await OtlpFixture.StartAsync();

        using var response = await otlp.PostAsync("/v1/traces", "{}"u8.ToArray(), type);

        Assert.Equal((200, Json, "{}"), await AnswerAsync(response));
    }

    [Theory]
    [InlineData("/v1/traces", 3, "too odd", """{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too odd"}}""")]
    [InlineData("/v1/metrics", 3, "", """{"partialSuccess":{"rejectedDataPoints":"3"}}""")]
    [InlineData("/v1/logs", 3, "", """{"partialSuccess":{"rejectedLogRecords":"3"}}""")]
    [InlineData("/v1/logs", 0, "odd", """{"partialSuccess":{"errorMessage":"odd"}}""")]
    public async Task Post_PartlyAccepted_IsToldWhatWasNot(string path, long rejected, string problem, string expected)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        otlp.Reply = new(OtlpVerdict.Accepted, rejected, problem);

        using var json = await otlp.PostAsync(path, "{}"u8.ToArray(), Json);
        using var protobuf = await otlp.PostAsync(path, [], Protobuf);

        Assert.Equal((200, Json, expected), await AnswerAsync(json));
        byte[] partial = [.. rejected > 0 ? new byte[] { 0x08, (byte)rejected } : [], .. Text(0x12, problem)];
        Assert.Equal([0x0A, (byte)partial.Length, .. partial], await protobuf.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(OtlpVerdict.Malformed, 400, 3, null)]
    [InlineData(OtlpVerdict.Overloaded, 503, 14, "1")]
    internal async Task Post_Refused_IsAnsweredByAStatusInItsEncoding(OtlpVerdict verdict, int status, byte code, string? retryAfter)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        otlp.Reply = new(verdict, Problem: "not \"so\"");

        using var json = await otlp.PostAsync("/v1/traces", "{}"u8.ToArray(), Json);
        using var protobuf = await otlp.PostAsync("/v1/traces", [], Protobuf);

        Assert.Equal((status, Json, $$"""{"code":{{code}},"message":"not \u0022so\u0022"}"""), await AnswerAsync(json));
        Assert.Equal(retryAfter, json.Headers.RetryAfter?.ToString());
        Assert.Equal((status, Protobuf), ((int)protobuf.StatusCode, protobuf.Content.Headers.ContentType?.MediaType));
        Assert.Equal([0x08, code, .. Text(0x12, "not \"so\"")], await protobuf.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZip")]
    [InlineData("identity")]
    public async Task Post_ContentEncoding_IsUndone(string encoding)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        var body = Enumerable.Range(0, 200_000).Select(i => (byte)(i * i >> 7)).ToArray();

        using var response = await otlp.PostAsync("/v1/traces", encoding == "identity" ? body : Compressed(body), Protobuf, ("Content-Encoding", encoding));

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(body, Assert.Single(otlp.Taken).Bytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(-1)]
    [InlineData(-9)]
    public async Task Post_GzipCutShort_IsRefused(int length)
    {
        await using var otlp = await OtlpFixture.StartAsync();
        var whole = Compressed(Encoding.UTF8.GetBytes($"{{\"x\": \"{new string('x', 1000)}\"}}"));

        using var response = await otlp.PostAsync("/v1/traces", length < 0 ? whole[..^-length] : whole[..length], Json, ("Content-Encoding", "gzip"));

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains("the body is not in gzip", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Empty(otlp.Taken);
    }

    [Theory]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("gzip, gzip")]
    public async Task Post_OtherContentEncoding_IsRefusedByName(string encoding)
    {
        await using var otlp = await OtlpFixture.StartAsync();

        using var response = await otlp.PostJsonAsync("{}", ("Content-Encoding", encoding));

        Assert.Equal(
            (415, Json, $$"""{"code":3,"message":"the content encoding \u0022{{encoding}}\u0022 is not taken, but gzip and identity"}"""),
            await AnswerAsync(response));
        Assert.Equal("gzip", Assert.Single(response.Headers.GetValues("Accept-Encoding")));
    }

    [Theory]
    [InlineData("text/plain", "\\u0022text/plain\\u0022")]
    [InlineData("application/protobuf", "\\u0022application/protobuf\\u0022")]
    [InlineData("", "\\u0022\\u0022")]
    public async Task Post_OtherContentType_IsRefusedByNameInJson(string type, string shown)
    {
        await using var otlp = await OtlpFixture.StartAsync();

        using var response = await otlp.PostAsync("/v1/traces", [], type);

        Assert.Equal(
            (415, Json, $$"""{"code":3,"message":"the content type {{shown}} is not taken, but application/x-protobuf and application/json"}"""),
            await AnswerAsync(response));
    }

    [Theory]
    [InlineData("GET", "/v1/traces", 405)]
    [InlineData("PUT", "/v1/logs", 405)]
    [InlineData("HEAD", "/v1/traces", 405)]
    [InlineData("OPTIONS", "/v1/traces", 405)]
    [InlineData("POST", "/", 404)]
    [InlineData("POST", "/v1/traces/", 404)]
    [InlineData("POST", "/V1/traces", 404)]
    [InlineData("GET", "/v1/profiles", 404)]
    public async Task Request_OtherMethodOrPath_HasItsStatus(string method, string path, int status)
    {
        await using var otlp = await OtlpFixture.StartAsync();

        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await otlp.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 405 ? ["POST"] : [], response.Content.Headers.Allow);
        Assert.Empty(response.Headers.Server);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost:4318")]
    public async Task Post_OfAWebPage_IsRefused(string origin)
    {
        await using var otlp = await OtlpFixture.StartAsync();

        using var response = await otlp.PostJsonAsync("{}", ("Origin", origin));

        Assert.Equal(403, (int)response.StatusCode);
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(otlp.Taken);
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Bearer wrong", 401)]
    [InlineData("Basic s3cret", 401)]
    [InlineData("Bearer s3cret", 200)]
    public async Task Post_WithToken_IsForThoseWhoHaveIt(string? authorization, int status)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-token", "s3cret");

        using var response = await otlp.PostJsonAsync("{}", authorization is null ? [] : [("Authorization", authorization)]);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 401 ? ["Bearer"] : [], response.Headers.WwwAuthenticate.Select(value => value.ToString()));
        Assert.Equal(status == 200 ? 1 : 0, otlp.Taken.Count);
    }

    [Theory]
    [InlineData(0, false, 200)]
    [InlineData(1, false, 413)]
    [InlineData(0, true, 200)]
    [InlineData(1, true, 413)]
    [InlineData(5_000_000, true, 413)]
    public async Task Post_OverTheLimit_IsRefused(int over, bool isChunked, int status)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-max-request-bytes", "64KiB");
        var body = new byte[(64 * 1024) + over];

        using var response = await otlp.PostAsync("/v1/traces", body, Protobuf, isChunked ? [("Transfer-Encoding", "chunked")] : []);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 200 ? [body] : [], otlp.Taken.Select(taken => taken.Bytes));
    }

    [Theory]
    [InlineData(0, 200)]
    [InlineData(1, 413)]
    [InlineData(8_000_000, 413)]
    public async Task Post_OverTheLimitOnceDecompressed_IsRefused(int over, int status)
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-max-request-bytes", "64KiB");
        var bomb = Compressed(new byte[(64 * 1024) + over]);
        Assert.True(bomb.Length < 64 * 1024);

        using var response = await otlp.PostAsync("/v1/traces", bomb, Json, ("Content-Encoding", "gzip"));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(
            status != 200, (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains("--otlp-max-request-bytes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Post_GzipOfNothingOverTheLimit_IsRefused()
    {
        await using var otlp = await OtlpFixture.StartAsync("--otlp-max-request-bytes", "64KiB");
        byte[] nothing = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        var many = Enumerable.Repeat(nothing, 10_000).SelectMany(bytes => bytes).ToArray();

        using var response = await otlp.PostAsync("/v1/traces", many, Json, ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"));

        Assert.Equal(413, (int)response.StatusCode);
    }

    [Fact]
    public async Task Post_BodyStopsInTheMiddle_IsGivenUp()
    {
        await using var otlp = await OtlpFixture.StartAsync();
        using var slow = new TcpClient();
        await slow.ConnectAsync(IPAddress.Loopback, otlp.HttpAddress.Port, TestContext.Current.CancellationToken);
        await slow.GetStream().WriteAsync("POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray(), TestContext.Current.CancellationToken);

        using var reader = new StreamReader(slow.GetStream());
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken).InTimeAsync();

        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":4", answer, StringComparison.Ordinal);
        Assert.Empty(otlp.Taken);
    }

    [Fact]
    public async Task Post_CallerGoesInTheMiddle_LeavesNothingBehind()
    {
        await using var otlp = await OtlpFixture.StartAsync();
        for (var i = 0; i < 8; i++)
        {
            using var gone = new TcpClient();
            await gone.ConnectAsync(IPAddress.Loopback, otlp.HttpAddress.Port, TestContext.Current.CancellationToken);
            await gone.GetStream().WriteAsync("POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray(), TestContext.Current.CancellationToken);
            gone.Client.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        using var response = await otlp.PostJsonAsync("{}");

        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task Post_ManyAtOnce_AreTakenFewAtATime()
    {
        const int AtATime = 4;
        await using var otlp = await OtlpFixture.StartAsync();
        using var allIn = new CountdownEvent(AtATime);
        var (active, most) = (0, 0);
        otlp.Handler = (_, _, _) =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref active));
            if (!allIn.IsSet)
            {
                allIn.Signal();
                Assert.True(allIn.Wait(Timeouts.Default));
            }

            Interlocked.Decrement(ref active);
            return otlp.Reply;
        };

        // A multiple of the limit, so that the limit is reached.
        var responses = await Task.WhenAll(Enumerable.Range(0, 8 * AtATime).Select(_ => otlp.PostJsonAsync("{}"))).InTimeAsync();

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Equal(AtATime, most);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); seen < value;)
        {
            seen = Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    private static byte[] Text(byte tag, string text) => text.Length == 0 ? [] : [tag, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Compressed(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.SmallestSize))
        {
            gzip.Write(bytes);
        }

        return output.ToArray();
    }

    private static async Task<(int Status, string? Type, string Text)> AnswerAsync(HttpResponseMessage response) =>
        ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
}
