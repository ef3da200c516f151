using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`genkit-sidecar run -- application` against Genkit's own RuntimeManagerV2.</summary>
public sealed class ManagerTests : EndToEndTest
{
    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Sidecar_Started_RegistersAsTheApplicationSays(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Workspace.Start(SidecarCommand.Run(
            Workspace, HelloApplication.In(language).Command, "--manager", manager.Url, "--runtime-id", "hello-1"));

        var runtime = await manager.RuntimeAddedAsync();

        Assert.Equal("hello-1", runtime.GetProperty("id").GetString());
        Assert.Equal($"hello-{language}", runtime.GetProperty("name").GetString());
        Assert.Equal($"{language}/0.1.0", runtime.GetProperty("genkitVersion").GetString());
        Assert.Equal(1, runtime.GetProperty("reflectionApiSpecVersion").GetInt32());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task ListActions_Always_ReturnsEveryFlow(string language)
    {
        var manager = await StartAsync(language);

        var actions = await manager.ListActionsAsync();

        Assert.Equal(
            ["/flow/chat", "/flow/countdown", "/flow/fail", "/flow/greet", "/flow/slow"],
            actions.EnumerateObject().Select(action => action.Name).Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task ListValues_ApplicationOffersNone_ReturnsNone(string language)
    {
        var manager = await StartAsync(language);

        JsonAssert.Equal("{}", await manager.ListValuesAsync("defaultModel"));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task ListValues_UnknownType_IsRefused(string language)
    {
        var manager = await StartAsync(language);

        var error = await Assert.ThrowsAsync<ManagerException>(() => manager.ListValuesAsync("planets"));

        Assert.Equal(
            "'type' planets is not supported. Only 'defaultModel' and 'middleware' are supported", error.Message);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_PlainFlow_ReturnsTheResultUnderTheAnnouncedTrace(string language)
    {
        var manager = await StartAsync(language);

        var run = await manager.RunActionAsync(
            """
            {
              "key": "/flow/greet",
              "input": {"name": "Zoë 🌍"},
              "context": {"auth": {"uid": "ada"}},
              "telemetryLabels": {"batchRun": "7"}
            }
            """);

        var traceId = await run.TraceIdAsync();
        JsonAssert.IsTraceId(traceId);
        JsonAssert.Equal(
            $$$"""{"result": {"greeting": "Hello, Zoë 🌍!"}, "telemetry": {"traceId": "{{{traceId}}}"}}""",
            await run.AnswerAsync());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_StreamingFlow_SendsStateThenChunksThenResponse(string language)
    {
        var manager = await StartAsync(language);

        var run = await manager.RunActionAsync("""{"key": "/flow/countdown", "input": {"from": 2}}""", stream: true);

        var traceId = await run.TraceIdAsync();
        await run.AnswerAsync();
        Assert.Collection(
            manager.Frames(),
            register => Assert.Equal("register", register.GetProperty("method").GetString()),
            state => JsonAssert.Equal(Notification("runActionState", "state", $$"""{"traceId": "{{traceId}}"}"""), state),
            chunk => JsonAssert.Equal(Notification("streamChunk", "chunk", """{"count": 2}"""), chunk),
            chunk => JsonAssert.Equal(Notification("streamChunk", "chunk", """{"count": 1}"""), chunk),
            response => JsonAssert.Equal(
                $$$"""
                {"jsonrpc": "2.0", "id": "1", "result": {"result": "Liftoff!", "telemetry": {"traceId": "{{{traceId}}}"} } }
                """,
                response));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_ChunksNotWanted_SendsNone(string language)
    {
        var manager = await StartAsync(language);

        var run = await manager.RunActionAsync("""{"key": "/flow/countdown", "input": {"from": 2}}""");

        Assert.Equal("Liftoff!", (await run.AnswerAsync()).GetProperty("result").GetString());
        Assert.DoesNotContain(manager.Frames(), frame => frame.GetRawText().Contains("streamChunk", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_BidirectionalFlow_KeepsInputThatComesAtOnce(string language)
    {
        var manager = await StartAsync(language);

        var run = await manager.RunActionAsync(
            """{"key": "/flow/chat", "init": {"prefix": "> "}}""", stream: true, streamInput: true);
        await run.SendInputAsync("""{"text": "one"}""");
        await run.SendInputAsync("""{"text": "two"}""");
        await run.EndInputAsync();

        JsonAssert.Equal("""{"echo": "> one"}""", await run.ChunkAsync());
        JsonAssert.Equal("""{"echo": "> two"}""", await run.ChunkAsync());
        JsonAssert.Equal("""{"messages": 2}""", (await run.AnswerAsync()).GetProperty("result"));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_FailingFlow_FillsTheErrorsData(string language)
    {
        var manager = await StartAsync(language);

        var run = await manager.RunActionAsync("""{"key": "/flow/fail", "input": {"code": 9, "message": "not yet"}}""");

        var traceId = await run.TraceIdAsync();
        var error = await run.ErrorAsync();
        var details = error.ErrorData.GetProperty("details");
        Assert.Equal("not yet", error.Message);
        Assert.Equal(9, error.ErrorData.GetProperty("code").GetInt32());
        Assert.Equal("not yet", error.ErrorData.GetProperty("message").GetString());
        Assert.Equal(traceId, details.GetProperty("traceId").GetString());
        Assert.Equal("requested", details.GetProperty("reason").GetString());

        // Errors of grpc-js have a stack. The application in Python sends none.
        Assert.Equal(language == "typescript", details.TryGetProperty("stack", out _));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_InvalidInput_CarriesTheStatusOfTheCall(string language)
    {
        var manager = await StartAsync(language);

        var run = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": 7}}""");

        var error = await run.ErrorAsync();
        Assert.Equal("\"name\" must be a string", error.Message);
        Assert.Equal(3, error.ErrorData.GetProperty("code").GetInt32());
        JsonAssert.IsTraceId(error.ErrorData.GetProperty("details").GetProperty("traceId"));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_UnknownKey_IsTheApplicationsNotFound(string language)
    {
        var manager = await StartAsync(language);

        var run = await manager.RunActionAsync("""{"key": "/flow/nope"}""");

        var error = await run.ErrorAsync();
        Assert.Equal("action /flow/nope not found", error.Message);
        Assert.Equal(5, error.ErrorData.GetProperty("code").GetInt32());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_TwentyMegabytes_PassesBothWays(string language)
    {
        var manager = await StartAsync(language);
        var name = new string('x', 20 << 20);

        var run = await manager.RunActionAsync($$$"""{"key": "/flow/greet", "input": {"name": "{{{name}}}"}}""");

        var greeting = (await run.AnswerAsync()).GetProperty("result").GetProperty("greeting").GetString();
        Assert.Equal($"Hello, {name}!".Length, greeting!.Length);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_WhileAnotherWaits_IsNotHeldUp(string language)
    {
        var manager = await StartAsync(language);
        var slow = await manager.RunActionAsync("""{"key": "/flow/slow"}""", stream: true);
        await slow.ChunkAsync();

        var quick = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        JsonAssert.Equal("""{"greeting": "Hello, Ada!"}""", (await quick.AnswerAsync()).GetProperty("result"));
        await manager.CancelActionAsync(await slow.TraceIdAsync());
        await slow.ErrorAsync();
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task CancelAction_RunningFlow_EndsItAsCancelled(string language)
    {
        var manager = await StartAsync(language);
        var run = await manager.RunActionAsync("""{"key": "/flow/slow"}""", stream: true);
        await run.ChunkAsync();
        var traceId = await run.TraceIdAsync();

        var answer = await manager.CancelActionAsync(traceId);

        JsonAssert.Equal("""{"message": "Action cancelled"}""", answer);
        var error = await run.ErrorAsync();
        Assert.Equal("Action was cancelled", error.Message);
        Assert.Equal(1, error.ErrorData.GetProperty("code").GetInt32());
        Assert.Equal(traceId, error.ErrorData.GetProperty("details").GetProperty("traceId").GetString());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task CancelAction_NothingRuns_IsRefused(string language)
    {
        var manager = await StartAsync(language);

        var error = await Assert.ThrowsAsync<ManagerException>(
            () => manager.CancelActionAsync("0123456789abcdef0123456789abcdef"));

        Assert.Equal("Action not found or already completed", error.Message);
    }

    private async Task<ManagerHost> StartAsync(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Workspace.Start(SidecarCommand.Run(
            Workspace, HelloApplication.In(language).Command, "--manager", manager.Url));
        await manager.RuntimeAddedAsync();
        return manager;
    }

    private static string Notification(string method, string member, string payload) =>
        $$$"""{"jsonrpc": "2.0", "method": "{{{method}}}", "params": {"requestId": "1", "{{{member}}}": {{{payload}}} }}""";
}
