using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class RunActionTests
{
    [Fact]
    public async Task RunAction_WithInput_SendsStateThenResult()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        application.Actions["/flow/echo"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address);
        var peer = await manager.AcceptRegisteredAsync();

        await peer.SendAsync("""{"jsonrpc":"2.0","method":"runAction","params":{"key":"/flow/echo","input":{"n":9007199254740993,"z":-0, "a":1e400},"stream":false,"streamInput":false},"id":"1"}""");
        var state = await peer.ReceiveAsync();
        var answer = await peer.ReceiveTextAsync();

        var traceId = state.GetProperty("params").GetProperty("state").GetProperty("traceId").GetString();
        Assert.Equal("""{"jsonrpc":"2.0","method":"runActionState","params":{"requestId":"1","state":{"traceId":"TRACE"}}}""".Replace("TRACE", traceId), state.GetRawText());
        Assert.Equal("""{"jsonrpc":"2.0","result":{"result":{"n":9007199254740993,"z":-0, "a":1e400},"telemetry":{"traceId":"TRACE"}},"id":"1"}""".Replace("TRACE", traceId), answer);
    }
}
