using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Root spans of runs. A telemetry server that fails does not fail any run.</summary>
public sealed class TraceTests
{
    /// <summary>As long as a test's timeout, so an answer that arrived did not wait for the telemetry server.</summary>
    private const string NeverWaited = "1m";

    [Fact]
    public async Task Run_Succeeds_IsAnsweredOnceItsRootSpanIsTaken()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        telemetry.Answer = async (_, _) =>
        {
            await release.Task;
            return 200;
        };
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", "1m");
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.ResultAsync("""{"n":9007199254740993}""");
        };
        await sidecar.Peer.SendAsync(Requests.Run(
            "1", "/flow/x", """{"a":"é"}""", stream: true, more: ""","init":[1],"context":{"auth":{"uid":"u"},"b":1},"telemetryLabels":{"genkitx:batchRun":"b1"}"""));
        var state = await sidecar.Peer.ReceiveAsync();
        var chunk = await sidecar.Peer.ReceiveAsync();
        var posted = await telemetry.PostAsync();

        // Messages of the run would have arrived before this answer.
        await sidecar.Peer.AssertAnswersAsync();
        release.SetResult();
        var answer = await sidecar.Peer.ReceiveAsync();

        Assert.Equal("1", chunk.Chunk());
        Assert.Equal("""{"n":9007199254740993}""", answer.Result());
        Assert.Equal(state.TraceId(), posted.TraceId);
        Assert.Equal("""{"a":"é"}""", posted["genkit:input"]);
        Assert.Equal("[1]", posted["genkit:init"]);
        Assert.Equal("""{"n":9007199254740993}""", posted["genkit:output"]);
        Assert.Equal("""{"auth":"<redacted>","b":1}""", posted["genkit:metadata:context"]);
        Assert.Equal("b1", posted["genkitx:batchRun"]);
        Assert.Equal("success", posted["genkit:state"]);
        Assert.Equal("/{x,t:flow}", posted["genkit:path"]);
        Assert.False(posted.Span.Has("parentSpanId"));
        Assert.InRange(posted.Span.At("endTime").GetDouble(), posted.Span.At("startTime").GetDouble(), double.MaxValue);
    }

    [Fact]
    public async Task Run_Call_CarriesTheRootSpanAsItsParent()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry);
        (string Parent, string State) metadata = default;
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            metadata = (call.Metadata["traceparent"].ToString(), call.Metadata["tracestate"].ToString());
            await call.ResultAsync("1");
        };

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));
        var posted = await telemetry.PostAsync();

        Assert.Equal($"00-{posted.TraceId}-{posted.SpanId}-01", metadata.Parent);
        Assert.Equal($"genkit-sidecar={posted.SpanId}", metadata.State);
    }

    [Fact]
    public async Task Run_Realtime_PostsTheStartAndThenTheEnd()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        telemetry.Answer = async (_, post) =>
        {
            if (!post.HasEnded)
            {
                await release.Task;
            }

            return 200;
        };
        await using var sidecar = await StartAsync(telemetry, "--telemetry-realtime", "true", "--telemetry-wait", "1m");
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await finish.Task;
            await call.ResultAsync("1");
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", "2"));
        await sidecar.Peer.ReceiveAsync();

        var start = await telemetry.PostAsync();
        finish.SetResult();
        await sidecar.Peer.AssertAnswersAsync();
        release.SetResult();
        await sidecar.Peer.ReceiveAsync();

        Assert.Equal([false, true], telemetry.Taken.Select(post => post.HasEnded));
        Assert.Single(telemetry.Taken.Select(post => (post.TraceId, post.SpanId, post.Span.At("startTime").GetDouble())).Distinct());
        Assert.Equal(0, start.Body.At("endTime").GetDouble());
        Assert.Null(start["genkit:input"]);
        Assert.Null(start["genkit:state"]);
    }

    [Fact]
    public async Task Run_FailsWithAStack_HasItInTheSpan()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry);
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ErrorAsync(9, "not before \"noon\"", stack: "at x\n at y");

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        var posted = Assert.Single(telemetry.Taken);
        AssertFailed(posted, "FAILED_PRECONDITION", "not before \"noon\"");
        Assert.Equal("at x\n at y", posted.Exception.Text("exception.stacktrace"));
        Assert.Null(posted["genkit:output"]);
    }

    [Fact]
    public async Task Run_UnknownToTheApplication_IsATraceToo()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry);

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/nope", "1"));

        var posted = Assert.Single(telemetry.Taken);
        AssertFailed(posted, "NOT_FOUND", "action /flow/nope not found");
        Assert.False(posted.Exception.Has("exception.stacktrace"));
        Assert.Equal("1", posted["genkit:input"]);
    }

    [Fact]
    public async Task Run_RefusedBeforeTheApplicationIsCalled_IsATraceToo()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--max-concurrent-runs", "1");
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        await sidecar.Peer.ReceiveAsync();

        var frames = await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/x"));

        var posted = Assert.Single(telemetry.Taken);
        Assert.Equal(frames[0].TraceId(), posted.TraceId);
        AssertFailed(posted, "RESOURCE_EXHAUSTED", frames[^1].Text("error", "message"));
    }

    [Fact]
    public async Task Run_CancelledWhileTheServerHangs_IsAnsweredSoon()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        telemetry.Answer = HangAsync;
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", NeverWaited, "--telemetry-timeout", "10m");
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        var state = await sidecar.Peer.ReceiveAsync();

        await sidecar.Peer.SendAsync(Requests.Cancel("2", state.TraceId()));
        var reply = await sidecar.Peer.ReceiveAsync();
        var answer = await sidecar.Peer.ReceiveAsync();

        Assert.True(reply.Answers("2"));
        answer.AssertFailure(1, "Action was cancelled");
        AssertFailed(await telemetry.PostAsync(), "CANCELLED", "Action was cancelled");
    }

    [Fact]
    public async Task Server_Hangs_CostsTheFirstRunTheWaitAndIsLoggedOnce()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        telemetry.Answer = HangAsync;
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", "50ms", "--telemetry-timeout", "10m");
        Echo(sidecar);

        await AskManyAsync(sidecar, 20);

        Assert.Contains("--telemetry-wait", (await sidecar.Log.WaitForAsync("TelemetryServerUnavailable"))["Problem"], StringComparison.Ordinal);
        Assert.Equal(1, sidecar.Log.Count("TelemetryServerUnavailable"));
    }

    [Fact]
    public async Task Server_AbsentAndThenThere_GetsEverySpanAndIsLoggedOnceEach()
    {
        var port = FakeTelemetryServer.FreePort();
        await using var sidecar = await RegisteredSidecar.StartAsync(
            "--telemetry-server", $"http://127.0.0.1:{port}", "--telemetry-wait", NeverWaited, "--health", "127.0.0.1:0");
        Echo(sidecar);

        var traces = await AskManyAsync(sidecar, 50);
        await sidecar.Log.WaitForAsync("TelemetryServerUnavailable");
        await using var telemetry = await FakeTelemetryServer.StartAsync(port);
        traces.AddRange(await AskManyAsync(sidecar, 1));

        Assert.Equal("0", (await sidecar.Log.WaitForAsync("TelemetryServerRecovered"))["Lost"]);
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Spans("accepted"), 51);
        Assert.Equal(traces.Order(), telemetry.Taken.Select(post => post.TraceId).Order());
        Assert.Equal(1, sidecar.Log.Count("TelemetryServerUnavailable"));
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_size_bytes", 0);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_length", 0);

        // The circuit breaker is closed again, so the trace is posted before the answer is sent.
        var last = await AskManyAsync(sidecar, 1);
        Assert.Contains(last.Single(), telemetry.Taken.Select(post => post.TraceId));
    }

    [Fact]
    public async Task Server_RefusesSpans_LosesCountsAndLogsIt()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        telemetry.Answer = (_, _) => Task.FromResult(500);
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", NeverWaited, "--health", "127.0.0.1:0");
        Echo(sidecar);

        await AskManyAsync(sidecar, 2);
        telemetry.Answer = (_, _) => Task.FromResult(200);
        await AskManyAsync(sidecar, 1);

        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Spans("refused"), 2);
        await health.UntilMetricAsync(Spans("accepted"), 1);
        Assert.Contains("500", (await sidecar.Log.WaitForAsync("TelemetryRejected"))["Problem"], StringComparison.Ordinal);
        Assert.Equal(1, sidecar.Log.Count("TelemetryRejected"));
        Assert.Equal("2", (await sidecar.Log.WaitForAsync("TelemetryServerRecovered"))["Lost"]);
    }

    [Fact]
    public async Task Server_BreaksEachConnection_LosesASpanAfterThreeTries()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        telemetry.Answer = (context, _) =>
        {
            context.Abort();
            return Task.FromResult(200);
        };
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", NeverWaited, "--health", "127.0.0.1:0");
        Echo(sidecar);

        var trace = await AskManyAsync(sidecar, 1);
        string[] tries = [(await telemetry.PostAsync()).TraceId, (await telemetry.PostAsync()).TraceId, (await telemetry.PostAsync()).TraceId];

        Assert.Equal([trace.Single()], tries.Distinct());
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Spans("unanswered"), 1);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_size_bytes", 0);
    }

    [Fact]
    public async Task Server_MisbehavesAtRandom_EachSpanIsCountedOnceAndNothingIsKept()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        var isWell = false;
        telemetry.Answer = async (context, _) =>
        {
            switch (Volatile.Read(ref isWell) ? 0 : Random.Shared.Next(8))
            {
                case 1:
                    return 500;
                case 2:
                    return 503;
                case 3:
                    context.Abort();
                    return 200;
                case 4:
                    return await HangAsync(context, null!);
                default:
                    return 200;
            }
        };
        await using var sidecar = await StartAsync(
            telemetry, "--telemetry-wait", "20ms", "--telemetry-timeout", "100ms", "--telemetry-realtime", "true", "--health", "127.0.0.1:0");
        Echo(sidecar);

        const int Runs = 300;
        await AskManyAsync(sidecar, Runs);
        Volatile.Write(ref isWell, true);

        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_length", 0);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_size_bytes", 0);
        var metrics = await health.MetricsAsync();
        Assert.Equal(0, metrics[Spans("dropped")]);
        Assert.Equal(Runs, metrics[Spans("accepted")] + metrics[Spans("refused")] + metrics[Spans("unanswered")]);
    }

    [Fact]
    public async Task Server_DoesNotSpeakHttp_IsLogged()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeGarbageAsync(listener);
        await using (var sidecar = await RegisteredSidecar.StartAsync(
            "--telemetry-server", $"http://{listener.LocalEndpoint}", "--telemetry-wait", NeverWaited))
        {
            Echo(sidecar);

            await AskManyAsync(sidecar, 1);

            await sidecar.Log.WaitForAsync("TelemetryServerUnavailable");
        }

        listener.Stop();
        await serving.InTimeAsync();
    }

    [Fact]
    public async Task Queue_Full_LosesCountsAndLogsItOnce()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(
            "--telemetry-server", $"http://127.0.0.1:{FakeTelemetryServer.FreePort()}", "--telemetry-max-queue-bytes", "64KiB", "--health", "127.0.0.1:0");
        Echo(sidecar);

        await AskManyAsync(sidecar, 40);

        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Spans("dropped"), 40 - 16);
        Assert.Equal(1, sidecar.Log.Count("TelemetryQueueFull"));
        Assert.Equal(64 * 1024, (await health.MetricsAsync())["genkit_sidecar_telemetry_queue_size_bytes"]);
    }

    [Fact]
    public async Task Payload_Large_IsInTheSpanToTheLastByteOrLeftOutWithANote()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", "1m");
        Echo(sidecar);
        var fits = $"[{string.Join(',', Enumerable.Range(0, 500_000).Select(i => $"\"é{i}\\n\""))}]";
        var tooLarge = $"\"{new string('a', 17 * 1024 * 1024)}\"";

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x", fits));
        await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/x", tooLarge));

        var (whole, noted) = (await telemetry.PostAsync(), await telemetry.PostAsync());
        Assert.Equal(fits, whole["genkit:input"]);
        Assert.StartsWith($"\"<left out of the trace: {Encoding.UTF8.GetByteCount(tooLarge)} bytes", noted["genkit:input"], StringComparison.Ordinal);
        Assert.Equal("true", noted["genkit:output"]);
    }

    [Fact]
    public async Task Runs_Concurrent_EachHasItsTraceWhenItIsAnswered()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--telemetry-realtime", "true", "--telemetry-wait", "1m");
        Echo(sidecar);
        const int Runs = 200;
        for (var id = 0; id < Runs; id++)
        {
            await sidecar.Peer.SendAsync(Requests.Run(id.ToString(CultureInfo.InvariantCulture), "/flow/x", "1"));
        }

        for (var answers = 0; answers < Runs;)
        {
            var frame = await sidecar.Peer.ReceiveAsync();
            if (!frame.Has("method"))
            {
                answers++;
                var trace = frame.Text("result", "telemetry", "traceId");
                Assert.Contains(telemetry.Taken, post => post.TraceId == trace && post.HasEnded);
            }
        }

        foreach (var posts in telemetry.Taken.GroupBy(post => post.TraceId))
        {
            Assert.Equal(posts.OrderBy(post => post.HasEnded), posts);
        }
    }

    [Fact]
    public async Task Drain_SpansThatWait_ArePosted()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        telemetry.Answer = async (_, _) =>
        {
            await release.Task;
            return 200;
        };
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", "0");
        Echo(sidecar);
        var traces = await AskManyAsync(sidecar, 30);

        var draining = sidecar.Sidecar.Services.GetRequiredService<TraceExporter>().DrainAsync(CancellationToken.None);
        release.SetResult();
        await draining.InTimeAsync();

        Assert.Equal(traces.Order(), telemetry.Taken.Select(post => post.TraceId).Order());
    }

    [Fact]
    public async Task Stop_ServerHangs_StopsSoonAndLogsTheLoss()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        telemetry.Answer = HangAsync;
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", NeverWaited, "--telemetry-timeout", "10m");
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        for (var id = 0; id < 20; id++)
        {
            await sidecar.Peer.SendAsync(Requests.Run(id.ToString(CultureInfo.InvariantCulture), "/flow/x"));
            await sidecar.Peer.ReceiveAsync();
        }

        await sidecar.Sidecar.StopAsync();

        // Includes the spans of posts in progress.
        Assert.Equal("20", (await sidecar.Log.WaitForAsync("TelemetryLostAtShutdown"))["Count"]);
    }

    [Fact]
    public async Task Stop_ServerRefuses_LogsTheEarlierLoss()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        telemetry.Answer = (_, _) => Task.FromResult(400);
        await using var sidecar = await StartAsync(telemetry, "--telemetry-wait", NeverWaited);
        Echo(sidecar);

        await AskManyAsync(sidecar, 1);
        await sidecar.Sidecar.StopAsync();

        Assert.Equal("1", (await sidecar.Log.WaitForAsync("TelemetryLostAtShutdown"))["Count"]);
    }

    [Fact]
    public async Task Manager_NamesAServer_GetsTracesThere()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, "--telemetry-wait", "1m");
        var peer = await manager.AcceptAsync();
        await peer.AcceptRegistrationAsync($$"""{"telemetryServerUrl":"{{telemetry.Address.OriginalString}}"}""");

        await peer.AskAsync(Requests.Run("1", "/flow/nope"));

        Assert.Single(telemetry.Taken);
        Assert.Equal($"{telemetry.Address}", (await sidecar.Log.WaitForAsync("TelemetryServerFound"))["Address"]);
    }

    [Fact]
    public async Task Manager_ConfiguresAServer_GetsTracesThereFromThenOn()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await RegisteredSidecar.StartAsync("--telemetry-wait", "1m");

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/nope"));
        await ConfigureAsync(sidecar, telemetry);
        await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/nope"));

        Assert.Single(telemetry.Taken);
    }

    [Fact]
    public async Task Manager_ConfiguresAnotherServer_GetsWhatTheOldOneFailsOverAndIsNotReported()
    {
        await using var first = await FakeTelemetryServer.StartAsync();
        await using var second = await FakeTelemetryServer.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        first.Answer = async (context, _) =>
        {
            await release.Task;
            context.Abort();
            return 200;
        };
        await using var sidecar = await RegisteredSidecar.StartAsync("--telemetry-wait", "0", "--telemetry-timeout", "10m");
        await ConfigureAsync(sidecar, first);
        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/nope"));
        var old = await first.PostAsync();

        await ConfigureAsync(sidecar, second);
        await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/nope"));
        await second.PostAsync();
        release.SetResult();

        Assert.Equal(old.TraceId, (await second.PostAsync()).TraceId);
        Assert.Equal(0, sidecar.Log.Count("TelemetryServerUnavailable") + sidecar.Log.Count("TelemetryRejected"));
    }

    [Fact]
    public async Task Manager_NamesAServerElsewhere_IsWarnedAboutOnceAndNotUsed()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await sidecar.Peer.SendAsync("""{"jsonrpc":"2.0","method":"configure","params":{"telemetryServerUrl":"http://203.0.113.9:4033"}}""");
        }

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/nope"));

        Assert.Contains("--telemetry-allow-host", (await sidecar.Log.WaitForAsync("TelemetryServerIgnored"))["Problem"], StringComparison.Ordinal);
        Assert.Equal(1, sidecar.Log.Count("TelemetryServerIgnored"));
        Assert.Null(sidecar.Sidecar.Services.GetRequiredService<TelemetryServer>().Address);
    }

    private static Task<RegisteredSidecar> StartAsync(FakeTelemetryServer telemetry, params string[] flags) =>
        RegisteredSidecar.StartAsync(["--telemetry-server", telemetry.Address.OriginalString, .. flags]);

    private static Task ConfigureAsync(RegisteredSidecar sidecar, FakeTelemetryServer telemetry) =>
        sidecar.Peer.SendAsync($$$"""{"jsonrpc":"2.0","method":"configure","params":{"telemetryServerUrl":"{{{telemetry.Address.OriginalString}}}"}}""");

    private static string Spans(string outcome) => $"genkit_sidecar_telemetry_spans_total{{genkit_telemetry_outcome=\"{outcome}\"}}";

    private static void Echo(RegisteredSidecar sidecar) => sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("true");

    /// <summary>Runs an action several times, one after the other, and returns the trace ids.</summary>
    private static async Task<List<string>> AskManyAsync(RegisteredSidecar sidecar, int count)
    {
        var traces = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var answer = (await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x")))[^1];
            traces.Add(answer.Text("result", "telemetry", "traceId"));
        }

        return traces;
    }

    private static void AssertFailed(PostedTrace posted, string type, string message)
    {
        Assert.Equal("error", posted["genkit:state"]);
        Assert.Equal(2, posted.Span.At("status", "code").GetInt32());
        Assert.Equal(message, posted.Span.Text("status", "message"));
        Assert.Equal(type, posted.Exception.Text("exception.type"));
        Assert.Equal(message, posted.Exception.Text("exception.message"));
    }

    private static async Task<int> HangAsync(Microsoft.AspNetCore.Http.HttpContext context, PostedTrace post)
    {
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
        return 200;
    }

    private static async Task ServeGarbageAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                using var peer = await listener.AcceptTcpClientAsync();
                await peer.GetStream().WriteAsync("what?\r\n\r\n"u8.ToArray());
            }
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }
}
