using System.Net;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.ApplicationTelemetry;
using Genkit.Sidecar.EndToEndTests.Infrastructure;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;
using Genkit.Sidecar.Tests.Otlp;
using Genkit.Sidecar.Tests.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>Posts the sidecar's spans and logs to the telemetry server of Genkit's CLI, which validates them with its own schemas.</summary>
public sealed class TelemetryServerTests : EndToEndTest
{
    private const int Requests = 200;

    private readonly HttpClient _http = new();

    [Fact]
    public async Task Spans_OfAnyKind_AreTakenAndReadBack()
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        var traces = new KnownTraces(NullLogger<KnownTraces>.Instance);
        for (var seed = 0; seed < Requests; seed++)
        {
            var run = TraceContext.Create();
            traces.Begin(run);
            var sorted = new SortedSpans(new RandomRequests(new Random(seed), run.TraceId).Traces(), traces);
            var posts = new TracePosts(new SpanWriter(traces, 1024 * 1024), 2 * 1024 * 1024);
            foreach (var span in sorted.OfRuns)
            {
                posts.Add(span);
            }

            foreach (var post in posts.Build())
            {
                await PostAsync(manager, "api/traces", SpanText.Of(post.Body));
                Assert.Equal(post.Items, (await manager.GetTraceAsync(run.TraceId)).GetProperty("spans").EnumerateObject().Count());
            }
        }
    }

    [Fact]
    public async Task Logs_OfAnyKind_AreTakenAndReadBack()
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        var run = TraceContext.Create();
        var traces = new KnownTraces(NullLogger<KnownTraces>.Instance);
        traces.Begin(run);
        var (all, ofRun) = (0, 0);
        for (var seed = 0; seed < Requests; seed++)
        {
            var request = new RandomRequests(new Random(seed), run.TraceId).Logs();
            var posts = new LogPosts(new LogWriter(traces, 1024 * 1024), 2 * 1024 * 1024);
            foreach (var scope in request.ResourceLogs.SelectMany(resource => resource.ScopeLogs))
            {
                all += scope.LogRecords.Count;
                ofRun += scope.LogRecords.Count(record => record.TraceId == Spans.Id(run.TraceId));
            }

            foreach (var post in posts.Build(request))
            {
                await PostAsync(manager, "api/otlp/v1/logs", SpanText.Of(post.Body));
            }
        }

        Assert.Equal(all, await CountLogsAsync(manager, "api/logs?limit=100000"));
        Assert.Equal(ofRun, await CountLogsAsync(manager, $"api/traces/{run.TraceId}/logs?limit=100000"));
    }

    [Fact]
    public async Task Trace_WhoseChildrenComeFirst_ReadsAsOneWhoseRootComesFirst()
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        var (rootFirst, childrenFirst) = (new Trace(), new Trace());

        await PostAsync(manager, "api/traces", rootFirst.Root);
        await PostAsync(manager, "api/traces", rootFirst.Children);
        await PostAsync(manager, "api/traces", childrenFirst.Children);
        await PostAsync(manager, "api/traces", childrenFirst.Root);

        var (one, other) = (await manager.GetTraceAsync(rootFirst.Run.TraceId), await manager.GetTraceAsync(childrenFirst.Run.TraceId));
        JsonAssert.Equal(rootFirst.Anonymous(one.GetRawText()), Parse(childrenFirst.Anonymous(other.GetRawText())));
        Assert.Equal("x", one.GetProperty("displayName").GetString());
        var listed = (await manager.ListTracesAsync()).GetProperty("traces").EnumerateArray().Select(trace => trace.GetProperty("traceId").GetString());
        Assert.Equal(new[] { rootFirst.Run.TraceId, childrenFirst.Run.TraceId }.Order(), listed.Order());
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    private async Task<int> CountLogsAsync(ManagerHost manager, string path) =>
        Parse(await _http.GetStringAsync(new Uri(manager.Telemetry!, path))).GetProperty("logs").GetArrayLength();

    private async Task PostAsync(ManagerHost manager, string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(new Uri(manager.Telemetry!, path), content);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode}: {await response.Content.ReadAsStringAsync()}\n{json}");
    }

    /// <summary>A run with two spans of the application.</summary>
    private sealed class Trace
    {
        public Trace()
        {
            var root = new RootSpanWriter(new RootSpanStart(Run, "/flow/x"), DateTimeOffset.UnixEpoch, 1024 * 1024);
            root.WriteStart();
            root.WriteNames();
            root.WriteEnd(DateTimeOffset.UnixEpoch.AddSeconds(1), null);
            Root = SpanText.Of(root.Body);

            var traces = new KnownTraces(NullLogger<KnownTraces>.Instance);
            traces.Begin(Run);
            var posts = new TracePosts(new SpanWriter(traces, 1024 * 1024), 2 * 1024 * 1024);
            foreach (var span in new SortedSpans(Spans.Request(Child("1111111111111111"), Child("2222222222222222")), traces).OfRuns)
            {
                posts.Add(span);
            }

            Children = SpanText.Of(posts.Build().Single().Body);
        }

        public TraceContext Run { get; } = TraceContext.Create();

        public string Root { get; }

        public string Children { get; }

        /// <summary>Replaces the ids by fixed ones.</summary>
        public string Anonymous(string json) => json.Replace(Run.TraceId, "trace", StringComparison.Ordinal).Replace(Run.SpanId, "root", StringComparison.Ordinal);

        private Span Child(string spanId) => new()
        {
            TraceId = Spans.Id(Run.TraceId),
            SpanId = Spans.Id(spanId),
            ParentSpanId = Spans.Id(spanId == "2222222222222222" ? "1111111111111111" : ""),
            Name = "step",
            StartTimeUnixNano = 1_000_000,
            EndTimeUnixNano = 2_000_000,
        };
    }
}
