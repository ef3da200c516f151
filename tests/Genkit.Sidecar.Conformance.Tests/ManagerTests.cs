using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>The kit's manager outlives its sidecars.</summary>
public class ManagerTests
{
    private static readonly RunPlan s_plan = new() { Key = "/flow/echo" };

    [Fact]
    public async Task Manager_ThatForgetsItsSidecar_FailsItsRunsAndTakesTheNextOne()
    {
        var token = TestContext.Current.CancellationToken;
        await using var manager = await Manager.StartAsync();
        using var first = await RegisterAsync(manager, token);
        await using var lost = await manager.StartAsync(s_plan, token);

        manager.Disconnect();
        Assert.False(manager.IsConnected);
        using var second = await RegisterAsync(manager, token);
        await using var run = await manager.StartAsync(s_plan, token);

        // Its end reaches the manager when another one is there.
        first.Abort();
        var id = (await ReceiveAsync(second, token)).GetProperty("id").GetString();
        await SendAsync(second, $$$$"""{"method":"runActionState","params":{"requestId":"{{{{id}}}}","state":{"traceId":"00000000000000000000000000000001"}}}""", token);
        await SendAsync(second, $$$$"""{"result":{"result":1,"telemetry":{"traceId":"00000000000000000000000000000001"}},"id":"{{{{id}}}}"}""", token);

        Assert.Contains("disconnected", (await Assert.ThrowsAsync<CaseFailure>(() => lost.ReadAsync(token))).Message, StringComparison.Ordinal);
        Assert.IsType<Update.Result>(await run.ReadAsync(token));
    }

    [Fact]
    public async Task Manager_WhoseSidecarHasHungUp_FailsItsRuns()
    {
        var token = TestContext.Current.CancellationToken;
        await using var manager = await Manager.StartAsync();
        using var sidecar = await RegisterAsync(manager, token);
        await using var run = await manager.StartAsync(s_plan, token);

        sidecar.Abort();

        Assert.Contains("the connection to the sidecar was lost", (await Assert.ThrowsAsync<CaseFailure>(() => run.ReadAsync(token))).Message, StringComparison.Ordinal);
    }

    private static async Task<ClientWebSocket> RegisterAsync(Manager manager, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(manager.Address, cancellationToken);
        await SendAsync(socket, """{"method":"register","params":{},"id":"r"}""", cancellationToken);
        Assert.Equal("r", (await ReceiveAsync(socket, cancellationToken)).GetProperty("id").GetString());
        await manager.RegisteredAsync(cancellationToken);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string frame, CancellationToken cancellationToken) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    private static async Task<JsonElement> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).AsTask().WaitAsync(Timeouts.Default, cancellationToken);
        using var frame = JsonDocument.Parse(buffer.AsMemory(0, received.Count));
        return frame.RootElement.Clone();
    }
}
