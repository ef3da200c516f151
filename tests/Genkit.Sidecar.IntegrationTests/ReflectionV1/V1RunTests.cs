using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests.ReflectionV1;

/// <summary>Runs through Reflection API v1: what the application receives, and what the caller gets back.</summary>
public sealed class V1RunTests
{
    private const string Run = "/api/runAction";
    private const string Stream = "/api/runAction?stream=true";

    [Fact]
    public async Task Run_Plain_AnswersAsTheJsRuntimeDoes()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("""{"greeting":"hello V1"}""");

        using var response = await sidecar.SendAsync(Run, """{"key":"/flow/x","input":{"name":"V1"}}""");

        var traceId = Header(response, "X-Genkit-Trace-Id");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Matches("^[0-9a-f]{32}$", traceId);
        Assert.Matches("^[0-9a-f]{16}$", Header(response, "X-Genkit-Span-Id"));
        Assert.Equal("genkit-sidecar/0.1.0", Header(response, "X-Genkit-Version"));
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        Assert.True(response.Headers.TransferEncodingChunked);
        Assert.Equal($$$"""{"result":{"greeting":"hello V1"},"telemetry":{"traceId":"{{{traceId}}}"}}""", await V1Sidecar.TextAsync(response));
    }

    [Fact]
    public async Task Run_WithEveryMember_GivesTheApplicationAllOfThem()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        V1.RunActionRequest? got = null;
        sidecar.Application.Actions["/flow/x"] = (call, request) =>
        {
            got = request;
            return call.ResultAsync(null);
        };

        await sidecar.PostAsync(
            Run,
            """{"key":"/flow/x","input":9007199254740993,"init":{"b":1,"a":[ ]},"context":{"auth":null},"telemetryLabels":{"l":"1"},"runtimeId":"any","stream":true,"streamInput":true}""");

        Assert.Equal("9007199254740993", got!.InputJson.ToStringUtf8());
        Assert.Equal("""{"b":1,"a":[ ]}""", got.InitJson.ToStringUtf8());
        Assert.Equal("""{"auth":null}""", got.ContextJson.ToStringUtf8());
        Assert.Equal("1", got.TelemetryLabels["l"]);
        Assert.False(got.Stream);
    }

    [Fact]
    public async Task Run_InputIsAbsent_StaysAbsent()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        bool? hasInput = null;
        sidecar.Application.Actions["/flow/x"] = (call, request) =>
        {
            hasInput = request.HasInputJson;
            return call.ResultAsync(null);
        };

        var (_, text) = await sidecar.PostAsync(Run, """{"key":"/flow/x"}""");

        Assert.False(hasInput);
        Assert.Matches("""^\{"telemetry":\{"traceId":"[0-9a-f]{32}"\}\}$""", text);
    }

    [Fact]
    public async Task Stream_Chunks_AreLinesAndTheEndHasNoLineBreak()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, request) =>
        {
            Assert.True(request.Stream);
            await call.ChunkAsync("""{"count":0}""");
            await call.ChunkAsync("null");
            await call.ResultAsync("\"done\"");
        };

        using var response = await sidecar.SendAsync(Stream, """{"key":"/flow/x"}""");

        Assert.Equal("text/plain", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(
            $$$"""{"count":0}{{{"\n"}}}null{{{"\n"}}}{"result":"done","telemetry":{"traceId":"{{{Header(response, "X-Genkit-Trace-Id")}}}"}}""",
            await V1Sidecar.TextAsync(response));
    }

    [Fact]
    public async Task Stream_PrettyPrintedPayloads_StayOneLineEach()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("{\r\n  \"a\": \"x\\ny\"\n}");
            await call.ErrorAsync(3, "two\nlines", "{\n  \"field\": 1\n}", "at a\nat b");
        };

        using var response = await sidecar.SendAsync(Stream, """{"key":"/flow/x"}""");

        var lines = (await V1Sidecar.TextAsync(response)).Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Equal("{    \"a\": \"x\\ny\" }", lines[0]);
        Assert.Equal(
            $$$$"""{"error":{"code":3,"message":"two\nlines","details":{"field":1,"stack":"at a\nat b","traceId":"{{{{Header(response, "X-Genkit-Trace-Id")}}}}"}}}""",
            lines[1]);
    }

    [Fact]
    public async Task Run_PrettyPrintedResult_IsLeftAsItIs()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("{\r\n  \"a\": 1\n}");

        var (_, text) = await sidecar.PostAsync(Run, """{"key":"/flow/x"}""");

        Assert.StartsWith("{\"result\":{\r\n  \"a\": 1\n},", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/runAction?stream=TRUE")]
    [InlineData("/api/runAction?stream=true&stream=true")]
    [InlineData("/api/runAction?stream=")]
    public async Task Stream_RequestedInAnotherWay_IsNotStreamed(string path)
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.ResultAsync("2");
        };

        var (_, text) = await sidecar.PostAsync(path, """{"key":"/flow/x"}""");

        Assert.StartsWith("{\"result\":2,", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Run)]
    [InlineData(Stream)]
    public async Task Run_Fails_IsStill200WithTheError(string path)
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ErrorAsync(5, "no such thing");

        var (status, text) = await sidecar.PostAsync(path, """{"key":"/flow/x"}""");

        Assert.Equal(200, status);
        Assert.Matches("""^\{"error":\{"code":5,"message":"no such thing","details":\{"traceId":"[0-9a-f]{32}"\}\}\}$""", text);
    }

    [Theory]
    [InlineData(Run)]
    [InlineData(Stream)]
    public async Task Run_UnknownAction_Is404AsText(string path)
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        using var response = await sidecar.SendAsync(path, """{"key":"/flow/nope"}""");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("action /flow/nope not found", await V1Sidecar.TextAsync(response));
        Assert.False(response.Headers.Contains("X-Genkit-Trace-Id"));
    }

    [Fact]
    public async Task Run_ActionThatIsNotListedButKnown_Runs()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/model/plugin/any"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.ErrorAsync(5, "not found later");
        };

        using var response = await sidecar.SendAsync(Stream, """{"key":"/model/plugin/any"}""");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("1\n{\"error\":{\"code\":5,", await V1Sidecar.TextAsync(response), StringComparison.Ordinal);
        Assert.True(response.Headers.Contains("X-Genkit-Trace-Id"));
    }

    [Fact]
    public async Task Run_ActionThatCameLater_IsFoundAndThenKnown()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        await sidecar.GetAsync("/api/actions");
        sidecar.Application.List("/flow/y");
        sidecar.Application.Actions["/flow/y"] = (call, _) => call.ResultAsync("1");
        await sidecar.PostAsync(Run, """{"key":"/flow/y"}""");
        var asked = sidecar.Application.Calls.Count(method => method == "ListActions");

        await sidecar.PostAsync(Run, """{"key":"/flow/y"}""");

        Assert.Equal(asked, sidecar.Application.Calls.Count(method => method == "ListActions"));
    }

    [Fact]
    public async Task Run_BeforeTheApplicationSaysAWord_HasItsIdsInHeaders()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await release.Task;
            await call.ResultAsync("1");
        };

        using var response = await sidecar.SendAsync(Run, """{"key":"/flow/x"}""");

        Assert.True(response.Headers.Contains("X-Genkit-Trace-Id"));
        release.SetResult();
        Assert.StartsWith("{\"result\":1,", await V1Sidecar.TextAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ApplicationAway_GivesTheReason()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        await sidecar.Application.DisposeAsync();

        var (status, text) = await sidecar.PostAsync(Run, """{"key":"/flow/x"}""");

        Assert.Equal(200, status);
        Assert.StartsWith("{\"error\":{\"code\":14,\"message\":\"The application cannot be reached:", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Run)]
    [InlineData(Stream)]
    public async Task Cancel_ActiveRun_EndsItAndReportsItAtBothEnds(string path)
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        using var response = await sidecar.SendAsync(path, """{"key":"/flow/x"}""");
        var traceId = Header(response, "X-Genkit-Trace-Id");

        var cancelled = await sidecar.PostAsync("/api/cancelAction", $$"""{"traceId":"{{traceId}}"}""");
        var text = await V1Sidecar.TextAsync(response);
        var again = await sidecar.PostAsync("/api/cancelAction", $$"""{"traceId":"{{traceId}}"}""");

        Assert.Equal((200, """{"message":"Action cancelled"}"""), cancelled);
        Assert.Equal($$$$"""{"error":{"code":1,"message":"Action was cancelled","details":{"traceId":"{{{{traceId}}}}"}}}""", text);
        Assert.Equal((404, """{"message":"Action not found or already completed"}"""), again);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"traceId":5}""")]
    [InlineData("""{"traceId":""}""")]
    public async Task Cancel_WithoutTraceId_Is400(string body)
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        Assert.Equal((400, """{"error":"traceId is required"}"""), await sidecar.PostAsync("/api/cancelAction", body));
    }

    [Fact]
    public async Task Caller_Gone_LeavesTheRunToGoOnAndToBeCancelled()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        var (release, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await release.Task;

            // Larger than all buffers on the way. The response is not read, and still the application does not wait.
            for (var i = 0; i < 64; i++)
            {
                await call.ChunkAsync($"\"{new string('x', 64 * 1024)}\"");
            }

            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };
        var response = await sidecar.SendAsync(Stream, """{"key":"/flow/x"}""");
        var traceId = Header(response, "X-Genkit-Trace-Id");

        response.Dispose();
        var disconnected = await sidecar.Log.WaitForAsync("ReflectionV1CallerDisconnected");
        release.SetResult();
        var (status, _) = await sidecar.PostAsync("/api/cancelAction", $$"""{"traceId":"{{traceId}}"}""");

        Assert.Equal((traceId, "60"), (disconnected["TraceId"], disconnected["Seconds"]));
        Assert.Equal(200, status);
    }

    [Fact]
    public async Task Caller_GoneForLongerThanTheGrace_EndsTheRun()
    {
        await using var sidecar = await V1Sidecar.StartAsync("--run-grace", "0");
        var cancelled = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };
        var response = await sidecar.SendAsync(Run, """{"key":"/flow/x"}""");

        response.Dispose();

        await cancelled.Task.InTimeAsync();
        await sidecar.Log.WaitForAsync("ReflectionV1RunAbandoned");
    }

    [Fact]
    public async Task Caller_ReadsSlowly_MakesTheApplicationWaitAndGetsEverything()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        const int Chunks = 256;
        var chunk = $"\"{new string('x', 64 * 1024)}\"";
        var sent = 0;
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            for (; sent < Chunks; sent++)
            {
                await call.ChunkAsync(chunk);
            }

            await call.ResultAsync("1");
        };
        using var response = await sidecar.SendAsync(Stream, """{"key":"/flow/x"}""");
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);

        Assert.Equal(chunk, await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.True(Volatile.Read(ref sent) < Chunks);
        var lines = 1;
        for (string? line = null; (line = await reader.ReadLineAsync(TestContext.Current.CancellationToken)) is not null; lines++)
        {
            Assert.True(line == chunk || lines == Chunks);
        }

        Assert.Equal(Chunks + 1, lines);
    }

    [Fact]
    public async Task Run_LargePayloads_PassBothWays()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());
        var input = $"\"{new string('é', 14 * 1024 * 1024)}\"";

        var (_, text) = await sidecar.PostAsync(Run, $$"""{"key":"/flow/x","input":{{input}}}""");

        Assert.StartsWith($"{{\"result\":{input},\"telemetry\":", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "the body is empty")]
    [InlineData("{\"key\":", "the body cannot be read: it is not valid JSON at byte")]
    [InlineData("{\"key\":\"/flow/x\"}}", "the body cannot be read: it is not valid JSON at byte 17")]
    [InlineData("[]", "the body must be a JSON object")]
    [InlineData("\"x\"", "the body must be a JSON object")]
    [InlineData("{}", "key: a non-empty string is required")]
    [InlineData("""{"key":5}""", "key: a non-empty string is required")]
    [InlineData("""{"key":"/flow/x","telemetryLabels":{"a":5}}""", "telemetryLabels: must be an object of strings")]
    public async Task Run_BadBody_Is200WithTheReason(string body, string message)
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        var (status, text) = await sidecar.PostAsync(Run, body);

        Assert.Equal(200, status);
        Assert.StartsWith($"{{\"error\":{{\"code\":3,\"message\":\"{message}", text, StringComparison.Ordinal);
        Assert.EndsWith("\"details\":{}}}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("RunAction", sidecar.Application.Calls);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=latin1")]
    [InlineData("nonsense")]
    [InlineData("")]
    public async Task Run_OtherMediaType_IsRefused(string mediaType)
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        using var response = await sidecar.SendAsync(Run, """{"key":"/flow/x"}""", mediaType);

        Assert.Contains("the body must be application/json in UTF-8", await V1Sidecar.TextAsync(response), StringComparison.Ordinal);
        Assert.DoesNotContain("RunAction", sidecar.Application.Calls);
    }

    [Fact]
    public async Task Run_CharsetInQuotes_IsTaken()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("1");

        using var response = await sidecar.SendAsync(Run, """{"key":"/flow/x"}""", "application/json; charset=\"utf-8\"");

        Assert.StartsWith("{\"result\":1,", await V1Sidecar.TextAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CompressedBody_IsRefused()
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        using var response = await sidecar.SendAsync(Run, "x", configure: request => request.Content!.Headers.ContentEncoding.Add("gzip"));

        Assert.Contains("the body must not be compressed", await V1Sidecar.TextAsync(response), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_BodyOver30MiB_ReportsItOnceItIsRead(bool isChunked)
    {
        await using var sidecar = await V1Sidecar.StartAsync();

        using var response = await sidecar.SendAsync(
            Run, $$"""{"key":"/flow/x","input":"{{new string('x', 30 * 1024 * 1024)}}"}""", configure: request => request.Headers.TransferEncodingChunked = isChunked);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("{\"error\":{\"code\":8,\"message\":\"request entity too large", await V1Sidecar.TextAsync(response), StringComparison.Ordinal);
        Assert.DoesNotContain("RunAction", sidecar.Application.Calls);
    }

    [Fact]
    public async Task Body_BreaksOff_DoesNoHarm()
    {
        await using var sidecar = await V1Sidecar.StartAsync();
        var whole = sidecar.Post(Run, """{"key":"/flow/x","input":1}""");
        for (var length = 1; length < whole.Length; length += 7)
        {
            using var socket = await sidecar.SayAsync(whole[..length]);
            socket.Shutdown(SocketShutdown.Send);
            await V1Sidecar.ClosedAsync(socket);
        }

        Assert.DoesNotContain("RunAction", sidecar.Application.Calls);
        Assert.Equal((200, "OK"), await sidecar.GetAsync("/api/__health"));
    }

    [Fact]
    public async Task Runs_OfBothEndpoints_AreOfOneCore()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await V1Sidecar.StartAsync("--manager", manager.Address.ToString(), "--max-concurrent-runs", "1");
        var peer = await manager.AcceptRegisteredAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        await peer.SendAsync(Requests.Run("1", "/flow/x"));
        var traceId = (await peer.ReceiveAsync()).TraceId();

        var (_, tooMany) = await sidecar.PostAsync(Run, """{"key":"/flow/x"}""");
        var (status, _) = await sidecar.PostAsync("/api/cancelAction", $$"""{"traceId":"{{traceId}}"}""");
        var answer = await peer.ReceiveAsync();

        Assert.StartsWith("{\"error\":{\"code\":8,\"message\":\"1 runs are active, as many as --max-concurrent-runs allows", tooMany, StringComparison.Ordinal);
        Assert.Equal(200, status);
        Assert.Equal("Action was cancelled", answer.AssertFailure(1));
    }

    [Fact]
    public async Task Run_WithTelemetry_IsAnsweredWhenItsTraceIsTaken()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await V1Sidecar.StartAsync("--telemetry-server", telemetry.Address.ToString(), "--telemetry-wait", "1m");
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("1");

        using var response = await sidecar.SendAsync(Run, """{"key":"/flow/x","telemetryLabels":{"batchRun":"7"}}""");
        await V1Sidecar.TextAsync(response);

        var post = Assert.Single(telemetry.Taken);
        Assert.Contains(Header(response, "X-Genkit-Trace-Id"), post.Body.GetRawText(), StringComparison.Ordinal);
        Assert.Contains(Header(response, "X-Genkit-Span-Id"), post.Body.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("\"batchRun\":\"7\"", post.Body.GetRawText(), StringComparison.Ordinal);
    }

    private static string Header(HttpResponseMessage response, string name) => Assert.Single(response.Headers.GetValues(name));
}
