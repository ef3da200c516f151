using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>Compares Reflection API v1 of the sidecar with that of a native JS runtime with the same flows, byte for byte.</summary>
public sealed partial class NativeRuntimeTests : EndToEndTest
{
    private const string Run = "POST /api/runAction";
    private const string Stream = "POST /api/runAction?stream=true";

    /// <summary>Requests with equal answers: status, length or chunks, run ids, media type of runs, and body.</summary>
    private static readonly (string Request, string? Body)[] s_equal =
    [
        ("GET /api/__health", null),
        ("GET /api/__health?id=", null),
        ("GET /api/__health?id=bad", null),
        ("HEAD /api/__health", null),
        ("GET /api/envs", null),
        ("GET /api/values", null),
        ("GET /api/values?type=", null),
        ("GET /api/values?type=prompt", null),
        ("GET /api/values?type=a&type=b", null),
        ("GET /api/values?type=defaultModel", null),
        (Run, """{"key":"/flow/greet","input":{"name":"Ada"}}"""),
        (Run, """{"key":"/flow/countdown","input":{"from":2},"context":{"auth":1},"telemetryLabels":{"a":"b"}}"""),
        (Stream, """{"key":"/flow/countdown","input":{"from":2}}"""),
        (Stream, """{"key":"/flow/greet","input":{"name":"Ada"}}"""),
        ("POST /api/runAction?stream=TRUE", """{"key":"/flow/countdown","input":{"from":2}}"""),
        ("POST /api/runAction?stream=true&stream=true", """{"key":"/flow/countdown","input":{"from":2}}"""),
        (Run, """{"key":"/flow/fail"}"""),
        (Stream, """{"key":"/flow/fail"}"""),
        (Run, """{"key":"/flow/nope"}"""),
        (Stream, """{"key":"/flow/nope"}"""),
        ("POST /api/cancelAction", "{}"),
        ("POST /api/cancelAction", """{"traceId":5}"""),
        ("POST /api/cancelAction", """{"traceId":"unknown"}"""),
        ("POST /api/notify", """{"telemetryServerUrl":"http://localhost:1","reflectionApiSpecVersion":1}"""),
        ("POST /api/notify", "{}"),
    ];

    /// <summary>Requests with intended differences, and the reason for each.</summary>
    private static readonly (string Request, string? Body, string Native, string Sidecar, string Why)[] s_different =
    [
        (Run, "{\"key\":", """{"error":{"code":13,"message":"Unexpected end of JSON input",""", """{"error":{"code":3,"message":"the body cannot be read: it is not valid JSON at byte""", "a caller's mistake is no internal error"),
        (Run, "[]", """{"error":{"code":13,"message":"Cannot read properties of undefined""", """{"error":{"code":3,"message":"the body must be a JSON object",""", "the message names what is wrong"),
        (Run, "{}", """{"error":{"code":13,"message":"Cannot read properties of undefined""", """{"error":{"code":3,"message":"key: a non-empty string is required",""", "the message names what is wrong"),
        (Run, $"{{\"input\":\"{new string('x', 30 * 1024 * 1024)}\"}}", """{"error":{"code":13,"message":"request entity too large",""", """{"error":{"code":8,"message":"request entity too large:""", "a caller's mistake is no internal error"),
        ("GET /api/nothing", null, "<!DOCTYPE html>", "Cannot GET /api/nothing", "a page for people, which no tool reads"),
        ("PUT /api/runAction", null, "<!DOCTYPE html>", "Cannot PUT /api/runAction", "a page for people, which no tool reads"),
    ];

    [Fact]
    public async Task Answers_OfTheSidecarAndOfANativeRuntime_AreEqualWhereTheyAreMeantToBe()
    {
        var (native, sidecar) = await StartAsync();

        foreach (var (request, body) in s_equal)
        {
            Assert.Equal(await AskAsync(native, request, body), await AskAsync(sidecar, request, body));
        }
    }

    [Fact]
    public async Task Answers_ThatDiffer_DoSoOnPurpose()
    {
        var (native, sidecar) = await StartAsync();

        foreach (var (request, body, ofNative, ofSidecar, why) in s_different)
        {
            var (one, other) = (await AskAsync(native, request, body), await AskAsync(sidecar, request, body));
            Assert.True(one.Contains(ofNative, StringComparison.Ordinal) && other.Contains(ofSidecar, StringComparison.Ordinal), $"{why}:\n{one}\n{other}");
            Assert.Equal(StatusLine().Match(one).Value, StatusLine().Match(other).Value);
        }
    }

    [Fact]
    public async Task Cancel_OfARunThatStreams_IsAnsweredEquallyAtBothEnds()
    {
        var (native, sidecar) = await StartAsync();

        Assert.Equal(await CancelAsync(native), await CancelAsync(sidecar));
    }

    private async Task<(HttpClient Native, HttpClient Sidecar)> StartAsync()
    {
        var environment = new Dictionary<string, string> { ["GENKIT_ENV"] = "dev" };
        Workspace.Start(
            SidecarCommand.Run(Workspace, HelloApplication.In("typescript").Command, "--runtime-id", "sidecar", "--reflection-v1", "127.0.0.1:0"), environment);
        var native = Workspace.Start(["node", Repository.Require("tests/e2e/native-runtime.cjs", "git checkout tests/e2e")], environment);
        var serves = await native.Output.FirstAsync(line => line.StartsWith("serves ", StringComparison.Ordinal), "the address of the native runtime");
        var runtime = await Workspace.RuntimeAsync("sidecar");
        return (At(serves.Split(' ')[1]), At(runtime.GetProperty("reflectionServerUrl").GetString()!));
    }

    private static HttpClient At(string address) => new() { BaseAddress = new Uri(address), Timeout = Timeouts.Default };

    private static async Task<string> CancelAsync(HttpClient runtime)
    {
        using var run = Request(Stream, """{"key":"/flow/slow","input":{}}""");
        using var response = await runtime.SendAsync(run, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        var started = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        var traceId = response.Headers.GetValues("X-Genkit-Trace-Id").Single();

        var cancelled = await AskAsync(runtime, "POST /api/cancelAction", $$"""{"traceId":"{{traceId}}"}""");

        return $"{started}\n{cancelled}\n{Plain(await reader.ReadToEndAsync(TestContext.Current.CancellationToken))}";
    }

    private static async Task<string> AskAsync(HttpClient runtime, string request, string? body)
    {
        using var message = Request(request, body);
        using var response = await runtime.SendAsync(message, TestContext.Current.CancellationToken);
        var isRun = response.Headers.Contains("X-Genkit-Trace-Id");
        var content = response.Content.Headers;
        return $"""
            {request} {Plain(body is { Length: > 1000 } ? "" : body ?? "")}
            {(int)response.StatusCode} run: {isRun}, {response.Headers.Contains("X-Genkit-Span-Id")}, version: {response.Headers.Contains("x-genkit-version")}
            {(isRun ? content.ContentType : MediaType(content.ContentType))} {(response.Headers.TransferEncodingChunked == true ? "in chunks" : "")}
            {Plain(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))}
            """;
    }

    /// <summary>The JS runtime declares text as HTML although some of it comes from the request, which allows cross-site scripting.</summary>
    private static string? MediaType(MediaTypeHeaderValue? type) => type?.MediaType == "text/html" ? "text/plain; charset=utf-8" : type?.ToString();

    /// <summary>Removes trace ids, and details, which contain stacks.</summary>
    private static string Plain(string body) => Details().Replace(TraceId().Replace(body, "<trace>"), "\"details\":{}");

    private static HttpRequestMessage Request(string request, string? body)
    {
        var words = request.Split(' ');
        return new HttpRequestMessage(new HttpMethod(words[0]), words[1])
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };
    }

    [GeneratedRegex("[0-9a-f]{32}")]
    private static partial Regex TraceId();

    [GeneratedRegex("""
        "details":\{.*?\}(?=\}\})
        """)]
    private static partial Regex Details();

    [GeneratedRegex(@"(?m)^\d{3}(?= run)")]
    private static partial Regex StatusLine();
}
