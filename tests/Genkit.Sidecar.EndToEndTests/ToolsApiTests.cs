using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`genkit start … -- genkit-sidecar run -- application`, called as the Dev UI calls it.</summary>
public sealed class ToolsApiTests : EndToEndTest
{
    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task GetCurrentRuntime_SidecarRegistered_DescribesTheApplication(string language)
    {
        using var tools = await StartAsync(language);

        var runtime = await tools.QueryAsync("getCurrentRuntime");

        Assert.Equal($"hello-{language}", runtime.GetProperty("name").GetString());
        Assert.Equal($"{language}/0.1.0", runtime.GetProperty("genkitVersion").GetString());
        Assert.True(runtime.GetProperty("pid").GetInt32() > 0);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task ListActions_Always_ReturnsEveryFlowWithItsSchema(string language)
    {
        using var tools = await StartAsync(language);

        var actions = await tools.QueryAsync("listActions");

        Assert.Equal(
            ["/flow/chat", "/flow/countdown", "/flow/fail", "/flow/greet", "/flow/slow"],
            actions.EnumerateObject().Select(action => action.Name).Order(StringComparer.Ordinal));
        JsonAssert.Equal(
            """
            {
              "key": "/flow/chat",
              "name": "chat",
              "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
              "metadata": {"bidi": true}
            }
            """,
            actions.GetProperty("/flow/chat"));
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_PlainFlow_ReturnsTheResultAndItsTrace(string language)
    {
        using var tools = await StartAsync(language);

        var (traceId, answer) = await tools.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        JsonAssert.IsTraceId(traceId);
        JsonAssert.Equal(
            $$$"""{"result": {"greeting": "Hello, Ada!"}, "telemetry": {"traceId": "{{{traceId}}}"}}""", answer);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task RunAction_FailingFlow_ReturnsCodeMessageAndDetails(string language)
    {
        using var tools = await StartAsync(language);

        var (traceId, answer) = await tools.RunActionAsync("""{"key": "/flow/fail"}""");

        var error = answer.GetProperty("error");
        var details = error.GetProperty("details");
        Assert.Equal(5, error.GetProperty("code").GetInt32());
        Assert.Equal("failed as asked", error.GetProperty("message").GetString());
        Assert.Equal("requested", details.GetProperty("reason").GetString());
        Assert.Equal(traceId, details.GetProperty("traceId").GetString());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task StreamAction_StreamingFlow_WritesTheChunksAndThenTheResult(string language)
    {
        using var tools = await StartAsync(language);

        using var stream = await tools.StreamActionAsync("""{"key": "/flow/countdown", "input": {"from": 2}}""");

        JsonAssert.Equal("""{"count": 2}""", await stream.NextAsync());
        JsonAssert.Equal("""{"count": 1}""", await stream.NextAsync());
        JsonAssert.Equal(
            $$$"""{"result": "Liftoff!", "telemetry": {"traceId": "{{{stream.TraceId}}}"}}""", await stream.NextAsync());
        await stream.EndAsync();
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task StreamAction_BidirectionalFlow_AnswersEachInputAsItComes(string language)
    {
        using var tools = await StartAsync(language);

        using var chat = await tools.StreamActionAsync("""{"key": "/flow/chat", "init": {"prefix": "# "}}""", bidi: true);
        await tools.PostAsync("sendBidiInput", $$$"""{"traceId": "{{{chat.TraceId}}}", "chunk": {"text": "one"}}""");
        JsonAssert.Equal("""{"echo": "# one"}""", await chat.NextAsync());
        await tools.PostAsync("sendBidiInput", $$$"""{"traceId": "{{{chat.TraceId}}}", "chunk": {"text": "two"}}""");
        JsonAssert.Equal("""{"echo": "# two"}""", await chat.NextAsync());
        await tools.PostAsync("endBidiInput", $$"""{"traceId": "{{chat.TraceId}}"}""");

        JsonAssert.Equal("""{"messages": 2}""", (await chat.NextAsync()).GetProperty("result"));
        await chat.EndAsync();
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task CancelAction_RunningFlow_EndsItAsCancelled(string language)
    {
        using var tools = await StartAsync(language);
        using var slow = await tools.StreamActionAsync("""{"key": "/flow/slow"}""");
        JsonAssert.Equal("\"started\"", await slow.NextAsync());

        var answer = await tools.MutateAsync("cancelAction", $$"""{"traceId": "{{slow.TraceId}}"}""");

        JsonAssert.Equal("""{"message": "Action cancelled"}""", answer);
        var error = (await slow.NextAsync()).GetProperty("error");
        Assert.Equal(1, error.GetProperty("code").GetInt32());
        Assert.Equal("Action was cancelled", error.GetProperty("message").GetString());
    }

    private Task<ToolsApi> StartAsync(string language) => ToolsApi.OfAsync(GenkitCli.Start(Workspace, HelloApplication.In(language).Command));
}
