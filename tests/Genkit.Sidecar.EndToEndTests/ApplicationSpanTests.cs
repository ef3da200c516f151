using System.Text.Json;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>
/// Spans and logs that OpenTelemetry's own SDK exports from an application, read back from the telemetry server of Genkit's CLI.
/// tests/telemetry/traced.mjs is the application.
/// </summary>
public sealed class ApplicationSpanTests : EndToEndTest
{
    private static readonly string[] s_voyage = ["prepare", "chart", "founder", "chat oracle-1", "execute_tool sextant"];

    [Theory]
    [InlineData("http/protobuf"), InlineData("http/json"), InlineData("grpc")]
    [InlineData("http/protobuf", "gzip"), InlineData("http/json", "gzip"), InlineData("grpc", "gzip")]
    public async Task GetTrace_AfterARunThatWasTraced_HasEverySpanWhole(string protocol, string compression = "none")
    {
        var (trace, _) = await RunAsync(await StartAsync(Exporting(protocol, compression)), "voyage", s_voyage);

        Assert.Equal(
            ["voyage", "voyage/chat oracle-1", "voyage/execute_tool sextant", "voyage/founder", "voyage/prepare", "voyage/prepare/chart"],
            trace.Ways());
        AssertAttributes(trace["prepare"]);
        AssertChart(trace["chart"]);
        AssertFailed(trace["founder"]);
        AssertModel(trace["chat oracle-1"]);
        AssertTool(trace["execute_tool sextant"]);
    }

    [Theory, InlineData("http/protobuf"), InlineData("http/json"), InlineData("grpc")]
    public async Task ListLogs_OfARunThatLogged_HasTheRecordAtItsSpan(string protocol)
    {
        var manager = await StartAsync(Exporting(protocol));
        var (trace, traceId) = await RunAsync(manager, "voyage", s_voyage);

        var record = Assert.Single(await manager.LogsAsync(traceId));

        Assert.Equal("wind rises", record.GetProperty("body").GetString());
        Assert.Equal("WARN", record.GetProperty("severityText").GetString());
        Assert.Equal(13, record.GetProperty("severityNumber").GetInt32());
        Assert.Equal(30, record.GetProperty("attributes").GetProperty("knots").GetInt32());
        Assert.Equal(trace["chart"].Id, record.GetProperty("spanId").GetString());
    }

    [Fact]
    public async Task GetTrace_OfARunWhoseApplicationHasATraceOfItsOwn_HasItsSpansUnderTheRoot()
    {
        var (trace, _) = await RunAsync(await StartAsync(), "drift", ["adrift", "sleep"]);

        Assert.Equal(["drift", "drift/adrift", "drift/adrift/sleep"], trace.Ways());
        Assert.Equal(trace.Root.Json("genkit:output").GetString(), trace["adrift"].Text("genkit:otlp-traceId"));
    }

    [Fact]
    public async Task GetTrace_OfAnApplicationThatLearnedTheEndpointFromConfigure_HasItsSpans()
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        var application = Workspace.Start([.. Traced(), "configured"], new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = "127.0.0.1:0" });
        var listens = await application.Output.FirstAsync(line => line.StartsWith("traced listens on ", StringComparison.Ordinal), "its port");
        Workspace.Start(SidecarCommand.Of(
            Workspace, "run", "--manager", manager.Url, "--app", $"http://127.0.0.1:{listens.Split(' ')[^1]}"));
        await manager.RuntimeAddedAsync();
        await application.Output.FirstAsync(line => line == "configured", "Configure");

        var (trace, _) = await RunAsync(manager, "voyage", s_voyage);

        Assert.Equal("voyage/prepare/chart", trace.Way(trace["chart"]));
    }

    [Theory, InlineData("journey", """{"to": "Ithaca"}"""), InlineData("wreck", "null")]
    public async Task GetTrace_OfTheSameFlowOnGenkitsOwnRuntime_IsTheSame(string flow, string input)
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        Workspace.Start(
            ["node", Program("native.mjs")],
            new Dictionary<string, string> { ["GENKIT_ENV"] = "dev", ["GENKIT_REFLECTION_V2_SERVER"] = manager.Url });
        await manager.RuntimeAddedAsync();
        string[] steps = flow == "journey" ? ["pack", "sail", "weather", "rest", "fake/echo"] : ["hope", "storm", "mast"];
        var (native, _) = await RunAsync(manager, flow, steps, input);

        await StartAsync(manager);
        var (traced, _) = await RunAsync(manager, flow, steps, input); // the manager uses the runtime that registered last

        Assert.Equal("action", native.Root.Text("genkit:type"));
        Assert.Equal(native.Spans().Select(span => Described(native, span)), traced.Spans().Select(span => Described(traced, span)));
    }

    /// <summary>The CLI exits as soon as it has the answer, and stops its telemetry server.</summary>
    [Fact]
    public async Task TraceGet_AfterFlowRunOfAnApplicationThatFlushes_PrintsItsSpans()
    {
        var printed = await GenkitCli.RunAsync(
            Workspace, ["flow:run", "voyage", """{"flush": true}""", "--", .. SidecarCommand.Run(Workspace, Traced(), "--telemetry-wait", "1m")]);

        var trace = await GenkitCli.RunAsync(Workspace, "trace:get", GenkitCli.TraceId(printed), "--format", "json");

        Assert.All(s_voyage, name => Assert.Contains($"\"displayName\": \"{name}\"", trace, StringComparison.Ordinal));
    }

    [Fact]
    public async Task TraceGetAndLogList_InASecondTerminal_PrintTheApplicationsSpansAndLogs()
    {
        using var tools = await ToolsApi.OfAsync(GenkitCli.Start(Workspace, Traced()));
        var (traceId, _) = await tools.RunActionAsync("""{"key": "/flow/voyage"}""");
        await tools.TraceAsync(traceId, s_voyage);
        await Repeated.AskAsync(() => tools.QueryAsync("listLogs"), answer => answer.GetProperty("logs").GetArrayLength() > 0);

        var trace = await GenkitCli.RunAsync(Workspace, "trace:get", traceId, "--format", "json");
        var logs = await GenkitCli.RunAsync(Workspace, "log:list", "--trace-id", traceId, "--severity", "warn");

        Assert.Contains("\"displayName\": \"chart\"", trace, StringComparison.Ordinal);
        Assert.Contains("\"displayName\": \"chat oracle-1\"", trace, StringComparison.Ordinal);
        Assert.Contains("Message:  wind rises", logs, StringComparison.Ordinal);
    }

    /// <summary>The facts that must be equal for both writers of a span, one a line. Ids, times and instrumentation libraries always differ.</summary>
    private static string Described(ReadTrace trace, ReadSpan span)
    {
        var attributes = span.Attributes.EnumerateObject()
            .Where(attribute => !IsOfOneSideAlone(span, attribute.Name))
            .Select(attribute => $"{attribute.Name}: {WithoutLatency(attribute.Value.GetRawText())}")
            .Order(StringComparer.Ordinal);
        var events = span.Events.Select(e => $"{e.GetProperty("description")}: {e.GetProperty("attributes").GetProperty("exception.message")}");
        return string.Join('\n', [trace.Way(span), span.Kind, $"{span.StatusCode} {span.StatusMessage}", .. attributes, .. events]);
    }

    /// <summary>
    /// The SDK adds the process of a span. Genkit's runtime marks only the span where an error was thrown. The sidecar does not see
    /// that place in the application, so it marks the root of each failed run, and the application marks the inner span.
    /// </summary>
    private static bool IsOfOneSideAlone(ReadSpan span, string attribute) =>
        attribute.StartsWith("resource.", StringComparison.Ordinal) || (attribute == "genkit:isFailureSource" && span.ParentId is null);

    /// <summary>Genkit's runtime adds the model's latency to its output.</summary>
    private static string WithoutLatency(string output) =>
        System.Text.RegularExpressions.Regex.Replace(output, @",\\u0022latencyMs\\u0022:[0-9.e-]+|,\\""latencyMs\\"":[0-9.e-]+", "");

    private static void AssertAttributes(ReadSpan span)
    {
        Assert.Equal("ö \"quoted\"", span.Text("text"));
        JsonAssert.Equal("9007199254740991", span.Attributes.GetProperty("count"));
        JsonAssert.Equal("0.5", span.Attributes.GetProperty("ratio"));
        JsonAssert.Equal("true", span.Attributes.GetProperty("open"));
        JsonAssert.Equal("""["Troy", "Ithaca"]""", span.Attributes.GetProperty("ports"));
        Assert.Equal("traced", span.Text("resource.service.name"));
        Assert.Equal("INTERNAL", span.Kind);
        Assert.Equal(0, span.StatusCode);
    }

    private static void AssertChart(ReadSpan span)
    {
        Assert.Equal("CLIENT", span.Kind);
        JsonAssert.Equal("""{"name": "traced-tracer", "version": "1.2.3"}""", span.InstrumentationLibrary);
        var sighted = Assert.Single(span.Events);
        JsonAssert.Equal("""{"description": "sighted", "attributes": {"what": "land", "miles": 3}}""", sighted);
        var link = Assert.Single(span.Links);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", link.GetProperty("context").GetProperty("traceId").GetString());
        Assert.Equal("b7ad6b7169203331", link.GetProperty("context").GetProperty("spanId").GetString());
        JsonAssert.Equal("""{"reason": "earlier"}""", link.GetProperty("attributes"));
    }

    private static void AssertFailed(ReadSpan span)
    {
        Assert.Equal((2, "no such reef"), (span.StatusCode, span.StatusMessage));
        var exception = Assert.Single(span.Events);
        Assert.Equal("exception", exception.GetProperty("description").GetString());
        Assert.Equal("TypeError", exception.GetProperty("attributes").GetProperty("exception.type").GetString());
    }

    private static void AssertModel(ReadSpan span)
    {
        Assert.Equal(("action", "model", "success"), Genkit(span));
        JsonAssert.Equal("""{"role": "user", "content": [{"text": "Whither?"}]}""", span.Json("genkit:input").GetProperty("messages").EnumerateArray().Single());
        JsonAssert.Equal("""{"role": "model", "content": [{"text": "Home."}]}""", span.Json("genkit:output").GetProperty("message"));
        JsonAssert.Equal("\"stop\"", span.Json("genkit:output").GetProperty("finishReason"));
        JsonAssert.Equal("""{"inputTokens": 4, "outputTokens": 2}""", span.Json("genkit:output").GetProperty("usage"));
        Assert.Equal("oracle-1", span.Text("gen_ai.request.model"));
    }

    private static void AssertTool(ReadSpan span)
    {
        Assert.Equal(("action", "tool", "success"), Genkit(span));
        Assert.Equal("sextant", span.Text("genkit:name"));
        JsonAssert.Equal("""{"star": "Vega"}""", span.Json("genkit:input"));
        JsonAssert.Equal("""{"degrees": 38}""", span.Json("genkit:output"));
    }

    private static (string? Type, string? Subtype, string? State) Genkit(ReadSpan span) =>
        (span.Text("genkit:type"), span.Text("genkit:metadata:subtype"), span.Text("genkit:state"));

    private static string Program(string name)
    {
        Repository.Require("tests/telemetry/node_modules/.package-lock.json", "tests/e2e/setup telemetry");
        return Repository.Require($"tests/telemetry/{name}", "git checkout tests/telemetry");
    }

    private static IReadOnlyList<string> Traced() => ["node", Program("traced.mjs")];

    /// <summary>Returns the variables that a user sets in the sidecar's environment for the SDK.</summary>
    private static Dictionary<string, string> Exporting(string protocol, string compression = "none") =>
        new() { ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol, ["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression };

    private async Task<ManagerHost> StartAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        await StartAsync(manager, environment);
        return manager;
    }

    private async Task StartAsync(ManagerHost manager, IReadOnlyDictionary<string, string>? environment = null)
    {
        Workspace.Start(SidecarCommand.Run(Workspace, Traced(), ["--manager", manager.Url]), environment);
        await manager.RuntimeAddedAsync();
    }

    /// <summary>Runs a flow and returns its trace when these spans and the root are in it.</summary>
    private static async Task<(ReadTrace Trace, string TraceId)> RunAsync(ManagerHost manager, string flow, string[] spans, string input = "null")
    {
        var run = await manager.RunActionAsync($$"""{"key": "/flow/{{flow}}", "input": {{input}}}""");
        var traceId = await run.TraceIdAsync();
        return (await manager.TraceAsync(traceId, [flow, .. spans]), traceId);
    }
}
