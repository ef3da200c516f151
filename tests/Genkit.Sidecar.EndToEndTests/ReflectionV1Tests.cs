using System.Text.Json;
using System.Text.RegularExpressions;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The commands of Genkit's CLI that support only Reflection API v1.</summary>
public sealed partial class ReflectionV1Tests : EndToEndTest
{
    private static readonly string[] s_patient = ["--telemetry-wait", "1m"]; // a machine that is busy with other tests

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task GenkitStart_WithoutTheV2Flag_RunsCancelsAndShowsTheApplicationOnce(string language)
    {
        using var tools = await ToolsApi.OfAsync(GenkitCli.StartV1(Workspace, HelloApplication.In(language)));

        var runtime = Assert.Single((await tools.QueryAsync("getActiveRuntimes")).EnumerateArray());
        Assert.Equal($"hello-{language}", runtime.GetProperty("name").GetString());
        Assert.Equal($"{language}/0.1.0", runtime.GetProperty("genkitVersion").GetString());
        Assert.True((await tools.QueryAsync("listActions")).TryGetProperty("/flow/greet", out _));

        var (traceId, answer) = await tools.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");
        Assert.Equal("Hello, Ada!", answer.GetProperty("result").GetProperty("greeting").GetString());
        JsonAssert.IsTraceId(traceId);

        using var countdown = await tools.StreamActionAsync("""{"key": "/flow/countdown", "input": {"from": 2}}""");
        JsonAssert.Equal("""{"count": 2}""", await countdown.NextAsync());
        JsonAssert.Equal("""{"count": 1}""", await countdown.NextAsync());
        Assert.Equal("Liftoff!", (await countdown.NextAsync()).GetProperty("result").GetString());

        using var slow = await tools.StreamActionAsync("""{"key": "/flow/slow"}""");
        JsonAssert.Equal("\"started\"", await slow.NextAsync());
        JsonAssert.Equal("""{"message": "Action cancelled"}""", await tools.MutateAsync("cancelAction", $$"""{"traceId": "{{slow.TraceId}}"}"""));
        Assert.Equal(1, (await slow.NextAsync()).GetProperty("error").GetProperty("code").GetInt32());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task FlowRun_InASecondTerminal_FindsTheApplicationOfTheFirst(string language)
    {
        using var tools = await ToolsApi.OfAsync(GenkitCli.Start(Workspace, HelloApplication.In(language).Command));
        await Workspace.RuntimeAsync();

        var plain = await GenkitCli.RunAsync(Workspace, "flow:run", "greet", """{"name": "Ada"}""");
        var streamed = await GenkitCli.RunAsync(Workspace, "flow:run", "countdown", """{"from": 2}""", "--stream");
        var failed = await GenkitCli.RunAsync(Workspace, "flow:run", "fail", """{"code": 9, "message": "not before noon"}""");
        var unknown = await GenkitCli.RunAsync(Workspace, "flow:run", "nope");

        Assert.Contains("Result:\n{\n  \"greeting\": \"Hello, Ada!\"\n}\nTrace ID: ", plain, StringComparison.Ordinal);
        Assert.Contains("{\n  \"count\": 2\n}\n{\n  \"count\": 1\n}\nResult:\nLiftoff!\nTrace ID: ", streamed, StringComparison.Ordinal);
        Assert.Contains("Code: 9\n", failed, StringComparison.Ordinal);
        Assert.Contains("Message: not before noon\n", failed, StringComparison.Ordinal);
        Assert.Matches("Trace ID: [0-9a-f]{32}\n", failed);
        Assert.Contains("action /flow/nope not found", unknown, StringComparison.Ordinal);
        Assert.Single((await tools.QueryAsync("getActiveRuntimes")).EnumerateArray());
    }

    [Fact]
    public async Task FlowRun_InASecondTerminal_LeavesATraceThatCanBeRead()
    {
        GenkitCli.StartV2(Workspace, SidecarCommand.Run(Workspace, HelloApplication.In("python").Command, s_patient));
        await Workspace.RuntimeAsync();

        var printed = await GenkitCli.RunAsync(Workspace, "flow:run", "greet", """{"name": "Ada"}""");
        var trace = await GenkitCli.RunAsync(Workspace, "trace:get", TraceIdLine().Match(printed).Groups["id"].Value, "--format", "json");

        Assert.Contains("\"genkit:state\": \"success\"", trace, StringComparison.Ordinal);
        Assert.Contains("Hello, Ada!", trace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FlowBatchRun_InASecondTerminal_RunsEveryRow()
    {
        GenkitCli.StartV2(Workspace, SidecarCommand.Run(Workspace, HelloApplication.In("python").Command));
        await Workspace.RuntimeAsync();
        var (rows, output) = (Path.Combine(Workspace.Folder, "rows.json"), Path.Combine(Workspace.Folder, "output.json"));
        await File.WriteAllTextAsync(rows, """[{"name": "Ada"}, {"name": "Grace"}]""", TestContext.Current.CancellationToken);

        await GenkitCli.RunAsync(Workspace, "flow:batchRun", "greet", rows, "--label", "batch", "--output", output);

        JsonAssert.Equal(
            """
            [
              {"input": {"name": "Ada"}, "output": {"greeting": "Hello, Ada!"}},
              {"input": {"name": "Grace"}, "output": {"greeting": "Hello, Grace!"}}
            ]
            """,
            await ReadAsync(output));
    }

    [Fact]
    public async Task EvalFlow_InASecondTerminal_HasOutputTraceIdAndScoreInEveryRow()
    {
        var application = Repository.Require("tests/e2e/evaluated-app.py", "git checkout tests/e2e");
        GenkitCli.StartV2(Workspace, SidecarCommand.Run(Workspace, ["/usr/bin/python3", application], s_patient));
        await Workspace.RuntimeAsync();
        var (rows, output) = (Path.Combine(Workspace.Folder, "rows.json"), Path.Combine(Workspace.Folder, "evaluated.json"));
        await File.WriteAllTextAsync(rows, """[{"testCaseId": "a", "input": "ada"}, {"testCaseId": "b", "input": "grace"}]""", TestContext.Current.CancellationToken);

        await GenkitCli.RunAsync(Workspace, "eval:flow", "shout", "--input", rows, "--force", "--output", output);

        var evaluated = (await ReadAsync(output)).EnumerateArray().OrderBy(row => row.GetProperty("testCaseId").GetString(), StringComparer.Ordinal).ToList();
        Assert.Equal(["ADA", "GRACE"], evaluated.Select(row => row.GetProperty("output").GetString()));
        Assert.All(evaluated, row =>
        {
            JsonAssert.IsTraceId(Assert.Single(row.GetProperty("traceIds").EnumerateArray()).GetString()!);
            Assert.True(Assert.Single(row.GetProperty("metrics").EnumerateArray()).GetProperty("score").GetBoolean());
        });
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Mcp_OfficialClient_StartsListsRunsAndReadsTheTrace(string language)
    {
        var mcp = GenkitCli.Mcp(Workspace);
        var sidecar = SidecarCommand.Run(Workspace, HelloApplication.In(language).Command, s_patient);

        await CallAsync(mcp, "start_runtime", new { command = sidecar[0], args = sidecar.Skip(1) });
        var flows = await CallAsync(mcp, "list_flows", new { });
        var run = JsonSerializer.Deserialize<JsonElement>(await CallAsync(mcp, "run_flow", new { flowName = "greet", input = """{"name": "Ada"}""" }));
        var trace = JsonSerializer.Deserialize<JsonElement>(
            await CallAsync(mcp, "get_trace", new { traceId = run.GetProperty("telemetry").GetProperty("traceId").GetString() }));
        await CallAsync(mcp, "kill_runtime", new { });
        mcp.CloseInput();
        await mcp.ExitAsync();

        Assert.Contains(" - Flow name: greet\n", flows, StringComparison.Ordinal);
        Assert.Equal("Hello, Ada!", run.GetProperty("result").GetProperty("greeting").GetString());
        Assert.Equal("greet", Assert.Single(trace.GetProperty("spans").EnumerateObject()).Value.GetProperty("displayName").GetString());
        await Gone.WaitAsync(Workspace.ProcessIds());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task QuitQuitQuit_Always_StopsTheSidecarAndItsApplicationWell(string language)
    {
        var sidecar = Workspace.Start(
            SidecarCommand.Run(Workspace, HelloApplication.In(language).Command), new Dictionary<string, string> { ["GENKIT_ENV"] = "dev" });
        var runtime = await Workspace.RuntimeAsync();
        using var http = new HttpClient { Timeout = Timeouts.Default };

        var answer = await http.GetStringAsync($"{runtime.GetProperty("reflectionServerUrl").GetString()}/api/__quitquitquit", TestContext.Current.CancellationToken);

        Assert.Equal("OK", answer);
        Assert.Equal(0, await sidecar.ExitAsync());
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Workspace.Folder, ".genkit/runtimes")));
        await Gone.WaitAsync(Workspace.ProcessIds());
    }

    [Fact]
    public async Task Terminate_Always_RemovesTheRuntimeFile()
    {
        var sidecar = Workspace.Start(
            SidecarCommand.Run(Workspace, HelloApplication.In("python").Command), new Dictionary<string, string> { ["GENKIT_ENV"] = "dev" });
        await Workspace.RuntimeAsync();

        Signal.Terminate.Send(sidecar.Id);

        Assert.Equal(0, await sidecar.ExitAsync());
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Workspace.Folder, ".genkit/runtimes")));
    }

    [Fact]
    public async Task WorkingDirectory_RemovedMeanwhile_IsOnlyAWarning()
    {
        var sidecar = Workspace.Start(
            [
                "sh", "-c", "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"", "sh",
                Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), "run", "--", .. HelloApplication.In("python").Command,
            ],
            new Dictionary<string, string> { ["GENKIT_ENV"] = "dev" });
        await sidecar.EventAsync("RuntimeFileWriteFailed");

        Signal.Terminate.Send(sidecar.Id);

        Assert.Equal(0, await sidecar.ExitAsync());
    }

    [Fact]
    public async Task Run_NeitherDevelopmentNorAnEndpoint_OnlySupervises()
    {
        var sidecar = Workspace.Start(SidecarCommand.Run(Workspace, ["sh", "-c", "exit 7"]));

        Assert.Equal(7, await sidecar.ExitAsync());
        Assert.False(Directory.Exists(Path.Combine(Workspace.Folder, ".genkit/runtimes")));
    }

    private static async Task<string> CallAsync(RunningProcess mcp, string tool, object arguments)
    {
        await mcp.WriteLineAsync(JsonSerializer.Serialize(new { name = tool, arguments }));
        var answer = JsonSerializer.Deserialize<JsonElement>(await mcp.Output.TakeAsync(line => line.StartsWith('{'), $"the answer of {tool}"));
        var text = answer.GetProperty("text").GetString()!;
        Assert.False(answer.GetProperty("isError").GetBoolean(), text);
        return text;
    }

    private static async Task<JsonElement> ReadAsync(string path) =>
        JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));

    [GeneratedRegex("Trace ID: (?<id>[0-9a-f]{32})")]
    private static partial Regex TraceIdLine();
}
