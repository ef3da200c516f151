using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>How a request reaches the action, and how its result is returned.</summary>
public sealed class RunActionTests
{
    [Fact]
    public async Task RunAction_WithInput_SendsStateThenResult()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/echo"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/echo", """{"n":9007199254740993,"z":-0, "a":1e400,"a":"\u00e9"}"""));
        var state = await sidecar.Peer.ReceiveAsync();
        var answer = await sidecar.Peer.ReceiveTextAsync();

        var traceId = state.TraceId();
        Assert.Matches("^[0-9a-f]{32}$", traceId);
        Assert.Equal("""{"jsonrpc":"2.0","method":"runActionState","params":{"requestId":"1","state":{"traceId":"TRACE"}}}""".Replace("TRACE", traceId), state.GetRawText());
        Assert.Equal("""{"jsonrpc":"2.0","result":{"result":{"n":9007199254740993,"z":-0, "a":1e400,"a":"\u00e9"},"telemetry":{"traceId":"TRACE"}},"id":"1"}""".Replace("TRACE", traceId), answer);
    }

    [Fact]
    public async Task RunAction_EveryMember_ReachesTheApplicationAsItCame()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var request = await ReceivedAsync(sidecar, Requests.Run(
            "1", "/flow/x", "[ 1 ]", stream: true, more: ""","init":{"i":1.0},"context":{"auth":{"uid":"é"}},"telemetryLabels":{"a":"1","b":"\"q\""},"runtimeId":"r" """));

        Assert.Equal("[ 1 ]", request.InputJson.ToStringUtf8());
        Assert.Equal("""{"i":1.0}""", request.InitJson.ToStringUtf8());
        Assert.Equal("""{"auth":{"uid":"é"}}""", request.ContextJson.ToStringUtf8());
        Assert.Equal("1", request.TelemetryLabels["a"]);
        Assert.Equal("\"q\"", request.TelemetryLabels["b"]);
        Assert.True(request.Stream);
    }

    [Fact]
    public async Task RunAction_MembersLeftOut_AreUnsetAtTheApplication()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var request = await ReceivedAsync(sidecar, Requests.Run("1", "/flow/x"));

        Assert.Equal(new V1.RunActionRequest { Key = "/flow/x" }, request);
    }

    [Fact]
    public async Task RunAction_MembersThatAreNull_AreTheJsonLiteral()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var request = await ReceivedAsync(sidecar, Requests.Run("1", "/flow/x", "null", more: ""","init":null,"context":null"""));

        Assert.Equal("null", request.InputJson.ToStringUtf8());
        Assert.Equal("null", request.InitJson.ToStringUtf8());
        Assert.Equal("null", request.ContextJson.ToStringUtf8());
    }

    [Fact]
    public async Task RunAction_Metadata_HasTheTraceOfTheStateAndTheHeadersOfTheSettings()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--app-header", "x-tenant: blue", "--app-header", "key-bin: AAEC");
        var metadata = new TaskCompletionSource<(string TraceParent, string Tenant, string Key)>();
        sidecar.Application.Actions["/flow/x"] = (call, _) =>
        {
            metadata.SetResult((call.Metadata["traceparent"]!, call.Metadata["x-tenant"]!, call.Metadata["key-bin"]!));
            return call.ResultAsync("1");
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        var (traceParent, tenant, key) = await metadata.Task;
        Assert.Matches($"^00-{frames[0].TraceId()}-[0-9a-f]{{16}}-01$", traceParent);
        Assert.Equal("blue", tenant);
        Assert.Equal("AAEC", key.TrimEnd('='));
    }

    [Theory]
    [InlineData(null, """{"telemetry":{"traceId":"TRACE"}}""")]
    [InlineData("null", """{"result":null,"telemetry":{"traceId":"TRACE"}}""")]
    [InlineData("\"\"", """{"result":"","telemetry":{"traceId":"TRACE"}}""")]
    [InlineData(" 0 ", """{"result": 0 ,"telemetry":{"traceId":"TRACE"}}""")]
    [InlineData("\"\\ud800\"", """{"result":"\ud800","telemetry":{"traceId":"TRACE"}}""")]
    public async Task RunAction_AnyResult_ComesBackAsItIs(string? result, string expected)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync(result);

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal(expected.Replace("TRACE", frames[0].TraceId()), frames[1].At("result").GetRawText());
    }

    [Fact]
    public async Task RunAction_ApplicationSendsItsOwnState_SendsOneStateOnly()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.WriteAsync(new V1.RunActionResponse { State = new V1.ActionState { TraceId = new string('a', 32) } });
            await call.WriteAsync(new V1.RunActionResponse());
            await call.ResultAsync("1");
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal(2, frames.Count);
        Assert.NotEqual(new string('a', 32), frames[0].TraceId());
    }

    [Fact]
    public async Task RunAction_UnknownKey_IsTheApplicationsNotFoundAfterAState()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/nowhere"));

        Assert.Equal("runActionState", frames[0].Method());
        frames[1].AssertFailure(5, "action /flow/nowhere not found");
    }

    [Theory]
    [InlineData("[]", "params: an object is required")]
    [InlineData("null", "params: an object is required")]
    [InlineData("{}", "params.key: a non-empty string is required")]
    [InlineData("""{"key":""}""", "params.key: a non-empty string is required")]
    [InlineData("""{"key":5}""", "params.key: a non-empty string is required")]
    [InlineData("""{"key":"\ud800"}""", "params.key: a non-empty string is required")]
    [InlineData("""{"key":"/flow/x","stream":"yes"}""", "params.stream: must be true or false")]
    [InlineData("""{"key":"/flow/x","streamInput":1}""", "params.streamInput: must be true or false")]
    [InlineData("""{"key":"/flow/x","telemetryLabels":{"a":1}}""", "params.telemetryLabels: must be an object of strings")]
    [InlineData("""{"key":"/flow/x","telemetryLabels":["a"]}""", "params.telemetryLabels: must be an object of strings")]
    [InlineData("""{"key":"/flow/x","telemetryLabels":{"\ud800":"a"}}""", "params.telemetryLabels: must be an object of strings")]
    public async Task RunAction_BadParams_AreRefusedWithoutACall(string parameters, string problem)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.Call("1", "runAction", parameters));

        answer.AssertError(-32602, 3, problem);
        Assert.DoesNotContain("RunAction", sidecar.Application.Calls);
    }

    [Fact]
    public async Task RunAction_NoParams_IsRefused()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync("""{"jsonrpc":"2.0","method":"runAction","id":"1"}""");

        answer.AssertError(-32602, 3, "params: an object is required");
    }

    private static async Task<V1.RunActionRequest> ReceivedAsync(RegisteredSidecar sidecar, string request)
    {
        var received = new TaskCompletionSource<V1.RunActionRequest>();
        sidecar.Application.Actions["/flow/x"] = (call, sent) =>
        {
            received.SetResult(sent);
            return call.ResultAsync("1");
        };
        await sidecar.Peer.AskAsync(request);
        return await received.Task.InTimeAsync();
    }
}
