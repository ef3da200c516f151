using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Endpoints.Otlp;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Spans and logs that an application exports, up to the telemetry server.</summary>
public sealed class OtlpReceiverTests
{
    private const string ChildId = "00f067aa0ba902b7";

    [Fact]
    public async Task Spans_OfARunThatIsActiveAndOfOneThatHasEnded_ArePostedUnderItsRoot()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--health", "127.0.0.1:0");
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            Assert.Equal(new OtlpReply(OtlpVerdict.Accepted), Send(sidecar, Span(TraceOf(call), ChildId)));
            await call.ResultAsync("1");
        };

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));
        var child = await telemetry.PostAsync();
        var root = await telemetry.PostAsync();
        Send(sidecar, Span(root.TraceId, "00f067aa0ba902b8"));
        var late = await telemetry.PostAsync();

        Assert.Equal((ChildId, root.SpanId), (child.SpanId, child.Span.Text("parentSpanId")));
        Assert.Equal(("00f067aa0ba902b8", root.SpanId), (late.SpanId, late.Span.Text("parentSpanId")));
        Assert.False(child.Body.Has("displayName"));
        Assert.True(root.HasEnded);
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Counted("spans", "accepted"), 2);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_spans_total{genkit_telemetry_outcome=\"accepted\"}", 1);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_size_bytes", 0);
    }

    [Fact]
    public async Task Spans_OfATraceThatTheApplicationNames_ComeHome()
    {
        const string Own = "11111111111111111111111111111111";
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry);
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.StateAsync(Own);
            await call.ResultAsync("1");
        };

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));
        var root = await telemetry.PostAsync();
        Send(sidecar, Span(Own, ChildId));
        var child = await telemetry.PostAsync();

        Assert.Equal((root.TraceId, root.SpanId), (child.TraceId, child.Span.Text("parentSpanId")));
        Assert.Equal(Own, child["genkit:otlp-traceId"]);
    }

    [Fact]
    public async Task Spans_OfNoRun_AreAcceptedDroppedCountedAndLoggedOnce()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--health", "127.0.0.1:0");

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(new OtlpReply(OtlpVerdict.Accepted), Send(sidecar, Span("11111111111111111111111111111111", ChildId)));
        }

        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Counted("spans", "unknown_trace"), 3);
        Assert.Equal(1, sidecar.Log.Count("UnknownTraceIgnored"));
    }

    [Fact]
    public async Task Request_HalfRightOrWrong_IsAnsweredSo()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--health", "127.0.0.1:0");
        var root = await RunAsync(sidecar, telemetry);

        var half = Send(sidecar, Span(root.TraceId, ChildId), Span(root.TraceId, root.SpanId), Span("00", ChildId));
        var wrong = Receiver(sidecar).Receive(OtlpSignal.Traces, OtlpEncoding.Protobuf, new ReadOnlySequence<byte>([0xFF]));
        var wrongMetrics = Receiver(sidecar).Receive(OtlpSignal.Metrics, OtlpEncoding.Json, new ReadOnlySequence<byte>("[]"u8.ToArray()));
        var metrics = Receiver(sidecar).Receive(
            OtlpSignal.Metrics, OtlpEncoding.Json, new ReadOnlySequence<byte>("""{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "a", "sum": {}}]}]}]}"""u8.ToArray()));

        Assert.Equal((OtlpVerdict.Accepted, 2), (half.Verdict, half.Rejected));
        Assert.Contains("run's own span", half.Problem, StringComparison.Ordinal);
        Assert.Equal(ChildId, (await telemetry.PostAsync()).SpanId);
        Assert.Equal((OtlpVerdict.Malformed, OtlpVerdict.Malformed), (wrong.Verdict, wrongMetrics.Verdict));
        Assert.Equal(new OtlpReply(OtlpVerdict.Accepted), metrics);
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Counted("spans", "rejected"), 2);
        await health.UntilMetricAsync("genkit_sidecar_otlp_metrics_total{genkit_telemetry_outcome=\"ignored\"}", 1);
    }

    [Fact]
    public async Task Queue_FullOfExportedSpans_RefusesAllOfARequestAndStillTakesRuns()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--telemetry-max-queue-bytes", "64KiB", "--health", "127.0.0.1:0");
        using var health = sidecar.Sidecar.Health();
        var traceId = (await RunAsync(sidecar, telemetry)).TraceId;
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_size_bytes", 0);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        telemetry.Answer = async (_, _) =>
        {
            await release.Task;
            return 200;
        };
        var accepted = 0;
        while (Send(sidecar, Span(traceId, ChildId)).Verdict == OtlpVerdict.Accepted)
        {
            accepted++;
        }

        // A quarter of the 64 KiB is reserved for the runs' own spans, and each post counts as 4 KiB or more.
        Assert.Equal(12, accepted);
        Assert.Equal(OtlpVerdict.Overloaded, Send(sidecar, Span(traceId, ChildId), Span("11111111111111111111111111111111", ChildId)).Verdict);
        Assert.Equal(OtlpVerdict.Accepted, Receiver(sidecar).Receive(OtlpSignal.Traces, OtlpEncoding.Protobuf, default).Verdict);
        sidecar.Application.Actions["/flow/y"] = (call, _) => call.ResultAsync("1");
        await sidecar.Peer.SendAsync(Requests.Run("2", "/flow/y"));
        await sidecar.Peer.ReceiveAsync();
        release.SetResult();
        await sidecar.Peer.ReceiveAsync();

        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_size_bytes", 0);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_length", 0);
        await health.UntilMetricAsync(Counted("spans", "overloaded"), 3);
        await health.UntilMetricAsync(Counted("spans", "accepted"), accepted);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_spans_total{genkit_telemetry_outcome=\"accepted\"}", 2);
        Assert.Equal(1, sidecar.Log.Count("TelemetryQueueFull"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_ThatIsFarLargerAsPosts_IsRefusedBeforeAllAreMade(bool isOfLogs)
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--telemetry-max-queue-bytes", "1MiB", "--telemetry-max-span-bytes", "1MiB", "--health", "127.0.0.1:0");
        var traceId = (await RunAsync(sidecar, telemetry)).TraceId;

        // Each post repeats the resource, which makes 400 MiB.
        var resource = new Resource { Attributes = { new KeyValue { Key = "a", Value = new AnyValue { StringValue = new string('x', 200 * 1024) } } } };
        var ids = Enumerable.Range(1, 2000).Select(i => i.ToString("x16", CultureInfo.InvariantCulture));
        IMessage request = !isOfLogs
            ? new ExportTraceServiceRequest { ResourceSpans = { new ResourceSpans { Resource = resource, ScopeSpans = { new ScopeSpans { Spans = { ids.Select(id => Span(traceId, id)) } } } } } }
            : new ExportLogsServiceRequest { ResourceLogs = { new ResourceLogs { Resource = resource, ScopeLogs = { new ScopeLogs { LogRecords = { ids.Select(_ => new LogRecord()) } } } } } };
        var bytes = new ReadOnlySequence<byte>(request.ToByteArray());
        var allocated = GC.GetAllocatedBytesForCurrentThread();

        var reply = Receiver(sidecar).Receive(isOfLogs ? OtlpSignal.Logs : OtlpSignal.Traces, OtlpEncoding.Protobuf, bytes);

        // Not retryable, because the request would not fit into an empty queue either.
        Assert.Equal(OtlpVerdict.Malformed, reply.Verdict);
        Assert.Contains("--telemetry-max-queue-bytes", reply.Problem, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 32 * 1024 * 1024);
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_size_bytes", 0);
        await health.UntilMetricAsync(Counted(isOfLogs ? "log_records" : "spans", "rejected"), 2000);
    }

    [Fact]
    public async Task Root_EndsWhileItsChildrenWait_IsPostedBehindThem()
    {
        var port = FakeTelemetryServer.FreePort();
        await using var sidecar = await RegisteredSidecar.StartAsync("--telemetry-server", $"http://127.0.0.1:{port}", "--telemetry-wait", "1m", "--telemetry-realtime", "true");
        sidecar.Application.Actions["/flow/w"] = (call, _) => call.ResultAsync("1");
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            Send(sidecar, Span(TraceOf(call), ChildId));
            await call.ResultAsync("1");
        };
        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/w"));
        await sidecar.Log.WaitForAsync("TelemetryServerUnavailable");
        var traceId = (await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/x")))[^1].Text("result", "telemetry", "traceId");

        await using var telemetry = await FakeTelemetryServer.StartAsync(port);
        await sidecar.Log.WaitForAsync("TelemetryServerRecovered");
        await sidecar.Sidecar.StopAsync();

        // The span's start is posted too if a post of it was in progress when the run ended.
        var posts = telemetry.Taken.Where(post => post.TraceId == traceId && post.HasEnded);
        Assert.Equal([true, false], posts.Select(post => post.Span.Has("parentSpanId")));
    }

    [Fact]
    public async Task Logs_OfARunAndOfNone_ArePosted()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        await using var sidecar = await StartAsync(telemetry, "--health", "127.0.0.1:0");
        var root = await RunAsync(sidecar, telemetry);
        var logs = $$$"""
            {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "lib"}, "logRecords": [
              {"timeUnixNano": "1", "traceId": "{{{root.TraceId}}}", "spanId": "{{{root.SpanId}}}", "body": {"stringValue": "of the run"}},
              {"timeUnixNano": "2", "body": {"stringValue": "of none"}}
            ]}]}]}
            """;

        Assert.Equal(new OtlpReply(OtlpVerdict.Accepted), Receiver(sidecar).Receive(OtlpSignal.Logs, OtlpEncoding.Json, new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(logs))));

        var records = (await telemetry.LogsAsync()).At("resourceLogs")[0].At("scopeLogs")[0].At("logRecords");
        Assert.Equal((root.TraceId, root.SpanId), (records[0].Text("traceId"), records[0].Text("spanId")));
        Assert.Equal("of none", records[1].Text("body", "stringValue"));
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Counted("log_records", "accepted"), 2);
    }

    [Fact]
    public async Task Everything_WithoutATelemetryServer_IsAcceptedAndDropped()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--telemetry-server", "off", "--health", "127.0.0.1:0");
        string? traceId = null;
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            traceId = TraceOf(call);
            await call.ResultAsync("1");
        };
        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal(new OtlpReply(OtlpVerdict.Accepted), Send(sidecar, Span(traceId!, ChildId)));
        Assert.Equal(OtlpVerdict.Malformed, Receiver(sidecar).Receive(OtlpSignal.Logs, OtlpEncoding.Json, default).Verdict);
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync(Counted("spans", "ignored"), 1);
        await health.UntilMetricAsync("genkit_sidecar_telemetry_queue_length", 0);
    }

    private static Task<RegisteredSidecar> StartAsync(FakeTelemetryServer telemetry, params string[] flags) =>
        RegisteredSidecar.StartAsync(["--telemetry-server", telemetry.Address.OriginalString, "--telemetry-wait", "1m", .. flags]);

    /// <summary>Runs a flow to its end and returns its root span.</summary>
    private static async Task<PostedTrace> RunAsync(RegisteredSidecar sidecar, FakeTelemetryServer telemetry)
    {
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("1");
        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));
        return await telemetry.PostAsync();
    }

    private static OtlpReceiver Receiver(RegisteredSidecar sidecar) => sidecar.Sidecar.Services.GetRequiredService<OtlpReceiver>();

    private static OtlpReply Send(RegisteredSidecar sidecar, params Span[] spans)
    {
        var request = new ExportTraceServiceRequest { ResourceSpans = { new ResourceSpans { ScopeSpans = { new ScopeSpans { Spans = { spans } } } } } };
        return Receiver(sidecar).Receive(OtlpSignal.Traces, OtlpEncoding.Protobuf, new ReadOnlySequence<byte>(request.ToByteArray()));
    }

    private static Span Span(string traceId, string spanId) => new()
    {
        TraceId = ByteString.CopyFrom(Convert.FromHexString(traceId)),
        SpanId = ByteString.CopyFrom(Convert.FromHexString(spanId)),
        Name = "step",
        StartTimeUnixNano = 1_000_000,
        EndTimeUnixNano = 2_000_000,
    };

    /// <summary>Reads the trace id from the call's traceparent, as an application's instrumentation does.</summary>
    private static string TraceOf(FakeCall call) => call.Metadata["traceparent"].ToString().Split('-')[1];

    private static string Counted(string what, string outcome) => $"genkit_sidecar_otlp_{what}_total{{genkit_telemetry_outcome=\"{outcome}\"}}";
}
