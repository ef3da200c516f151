using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>Traces in the telemetry server of Genkit's CLI, as its tools read them.</summary>
public sealed class TraceTests : EndToEndTest
{
    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task TraceGet_AfterFlowRun_PrintsTheRootSpan(string language)
    {
        var printed = await GenkitCli.RunFlowAsync(Workspace, HelloApplication.In(language), "greet", """{"name": "Ada"}""");

        var trace = await GenkitCli.RunAsync(Workspace, "trace:get", GenkitCli.TraceId(printed), "--format", "json");

        Assert.Contains("\"displayName\": \"greet\"", trace, StringComparison.Ordinal);
        Assert.Contains("\"genkit:state\": \"success\"", trace, StringComparison.Ordinal);
        Assert.Contains("Hello, Ada!", trace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TraceGet_AfterAFlowThatFailed_PrintsTheError()
    {
        var printed = await GenkitCli.RunFlowAsync(Workspace, HelloApplication.In("python"), "fail", """{"code": 9, "message": "not before noon"}""");

        var trace = await GenkitCli.RunAsync(Workspace, "trace:get", GenkitCli.TraceId(printed), "--format", "json");

        Assert.Contains("\"genkit:state\": \"error\"", trace, StringComparison.Ordinal);
        Assert.Contains("not before noon", trace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TraceList_AfterRuns_PrintsThemByNameAndStatus()
    {
        await GenkitCli.RunFlowAsync(Workspace, HelloApplication.In("python"), "greet", """{"name": "Ada"}""");
        await GenkitCli.RunFlowAsync(Workspace, HelloApplication.In("python"), "fail");

        var greetings = await GenkitCli.RunAsync(Workspace, "trace:list", "--name", "greet", "--type", "flow");
        var failures = await GenkitCli.RunAsync(Workspace, "trace:list", "--status", "error");

        Assert.Contains("Found 1 trace:", greetings, StringComparison.Ordinal);
        Assert.Contains("Status:   success", greetings, StringComparison.Ordinal);
        Assert.Contains("""Output:   {"greeting": "Hello, Ada!"}""", greetings, StringComparison.Ordinal);
        Assert.Contains("Found 1 trace:", failures, StringComparison.Ordinal);
        Assert.Contains("Name:     fail", failures, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTrace_StraightAfterEachOf200Runs_FindsItsRoot() => await AssertReadableAsync(200);

    [Fact, Trait("Tier", "All")]
    public async Task GetTrace_StraightAfterEachOf1000Runs_FindsItsRoot() => await AssertReadableAsync(1_000);

    [Fact]
    public async Task ListTraces_AfterARun_HasItsFlow()
    {
        var manager = await StartAsync();
        var run = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}, "context": {"auth": {"uid": "u"}}, "telemetryLabels": {"genkitx:batchRun": "7"}}""");
        var traceId = (await run.AnswerAsync()).GetProperty("telemetry").GetProperty("traceId").GetString()!;

        var listed = (await manager.ListTracesAsync()).GetProperty("traces").EnumerateArray().Single();
        var span = (await manager.GetTraceAsync(traceId)).GetProperty("spans").EnumerateObject().Single().Value;

        Assert.Equal(traceId, listed.GetProperty("traceId").GetString());
        Assert.Equal("greet", listed.GetProperty("displayName").GetString());
        JsonAssert.Equal(
            """
            {
              "genkit:type": "action", "genkit:metadata:subtype": "flow", "genkit:key": "/flow/greet", "genkitx:batchRun": "7", "genkit:name": "greet",
              "genkit:path": "/{greet,t:flow}", "genkit:isRoot": true, "genkit:metadata:context": "{\"auth\":\"<redacted>\"}",
              "genkit:input": "{\"name\":\"Ada\"}", "genkit:output": "{\"greeting\": \"Hello, Ada!\"}", "genkit:state": "success"
            }
            """,
            span.GetProperty("attributes"));
    }

    private async Task AssertReadableAsync(int runs)
    {
        var manager = await StartAsync("--telemetry-realtime", "true");

        JsonAssert.Equal("[]", await manager.RunTracedAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""", runs));
    }

    /// <summary>Starts a sidecar that learns its telemetry server from the manager. The long wait is for a machine that is busy with other tests.</summary>
    private async Task<ManagerHost> StartAsync(params string[] options)
    {
        var manager = await ManagerHost.StartWithTelemetryAsync(Workspace);
        Workspace.Start(SidecarCommand.Run(
            Workspace, HelloApplication.In("python").Command, ["--manager", manager.Url, "--telemetry-wait", "1m", .. options]));
        await manager.RuntimeAddedAsync();
        return manager;
    }
}
