using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class RequestIdTests
{
    [Theory]
    [InlineData("7", "\"7\"")]
    [InlineData("0", "\"0\"")]
    [InlineData("1.50", "\"1.50\"")]
    [InlineData("-3", "\"-3\"")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("\"a \\\"b\\\" \\u00e9 \\n\"", "\"a \\\"b\\\" \\u00e9 \\n\"")]
    [InlineData("\"é😀\"", "\"é😀\"")]
    [InlineData("\"\\ud800\"", "\"\\ud800\"")]
    public async Task RunAction_AnyStringOrNumber_IsEchoedAsItCame(string id, string requestId)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.ResultAsync("2");
        };

        await sidecar.Peer.SendAsync($$$"""{"jsonrpc":"2.0","method":"runAction","params":{"key":"/flow/x","stream":true},"id":{{{id}}}}""");
        var state = await sidecar.Peer.ReceiveTextAsync();
        var chunk = await sidecar.Peer.ReceiveTextAsync();
        var answer = await sidecar.Peer.ReceiveTextAsync();

        Assert.Contains($"\"requestId\":{requestId},", state, StringComparison.Ordinal);
        Assert.Contains($"\"requestId\":{requestId},", chunk, StringComparison.Ordinal);
        Assert.EndsWith($",\"id\":{id}}}", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("\"a\\u0062\"")]
    public async Task StreamedInput_IdInAnotherSpelling_FindsItsRun(string id)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) => await call.ResultAsync(await call.ReadChunkAsync());

        await sidecar.Peer.SendAsync($$$"""{"jsonrpc":"2.0","method":"runAction","params":{"key":"/flow/x","streamInput":true},"id":{{{id}}}}""");
        await sidecar.Peer.SendAsync(Requests.Chunk(id == "7" ? "7" : "ab", "[5]"));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.Equal("[5]", frames[^1].Result());
    }

    [Theory]
    [InlineData("null", "runAction")]
    [InlineData("true", "listActions")]
    [InlineData("{}", "nonsense")]
    [InlineData("[1]", "cancelAction")]
    public async Task Request_IdOfAnotherKind_IsInvalidWithIdNull(string id, string method)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync($$$"""{"jsonrpc":"2.0","method":"{{{method}}}","params":{"key":"/flow/x"},"id":{{{id}}}}""");
        var answer = await sidecar.Peer.ReceiveAsync();

        answer.AssertError(-32600, 3, "Invalid Request: id must be a string or a number");
        Assert.Equal("null", answer.At("id").GetRawText());
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Theory]
    [InlineData("runAction")]
    [InlineData("listActions")]
    [InlineData("cancelAction")]
    [InlineData("listValues")]
    public async Task Request_WithoutId_IsIgnoredAndLogged(string method)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync($$$"""{"jsonrpc":"2.0","method":"{{{method}}}","params":{"key":"/flow/x"}}""");

        Assert.Equal(method, (await sidecar.Log.WaitForAsync("RequestWithoutIdIgnored"))["Method"]);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Request_UnknownMethod_IsNotFound()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.Call("3", "fly\\n", "{}"));

        answer.AssertError(-32601, 12, "Method not found: fly\n");
    }

    [Fact]
    public async Task Request_MethodIsNoString_IsInvalid()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync("""{"jsonrpc":"2.0","method":5,"id":"3"}""");

        answer.AssertError(-32600, 3, "Invalid Request: method must be a string");
    }

    [Fact]
    public async Task Notification_UnknownMethod_IsIgnoredAndLogged()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync("""{"jsonrpc":"2.0","method":"fly\n"}""");

        Assert.Equal("fly ", (await sidecar.Log.WaitForAsync("UnknownNotificationIgnored"))["Method"]);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Configure_AsNotification_IsTaken()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync("""{"jsonrpc":"2.0","method":"configure","params":{"telemetryServerUrl":"http://localhost:4033"}}""");

        await sidecar.Peer.AssertAnswersAsync();
        Assert.Equal(0, sidecar.Log.Count("InvalidConfigureIgnored") + sidecar.Log.Count("UnknownNotificationIgnored"));
    }

    [Fact]
    public async Task RunAction_SameIdTwiceAtOneTime_AnswersBoth()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) => await call.ResultAsync(await call.ReadChunkAsync() ?? "null");

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.Chunk("1", "\"second\""));
        var states = new[] { await sidecar.Peer.ReceiveAsync(), await sidecar.Peer.ReceiveAsync() };
        var second = await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.SendAsync(Requests.Cancel("2", states.Single(state => state.TraceId() != second.Text("result", "telemetry", "traceId")).TraceId()));
        var cancel = await sidecar.Peer.ReceiveAsync();
        var first = await sidecar.Peer.ReceiveAsync();

        Assert.Equal("\"second\"", second.Result());
        Assert.True(cancel.Answers("2"));
        Assert.True(first.Answers("1"));
        first.AssertFailure(1, "Action was cancelled");
    }
}
