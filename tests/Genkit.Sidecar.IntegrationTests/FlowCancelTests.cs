using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Genkit.Sidecar.Runs;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Client disconnects, deadlines, and shutdown of the sidecar.</summary>
public sealed class FlowCancelTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("POST /f HTTP/1.1\r\nHost: loc")]
    [InlineData("POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n")]
    [InlineData("POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"da")]
    [InlineData("POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{")]
    public async Task Disconnect_BeforeTheEndOfTheRequest_StartsNoRun(string sent)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("f", "1");
        await using (var stream = await flows.ConnectAsync())
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(sent), Cancellation);
        }

        // On loopback, this request has been processed by the time that a later one is answered.
        Assert.Equal(200, (await flows.PostAsync("/f")).Status);
        Assert.Single(flows.Application.Calls, "RunAction");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Disconnect_DuringTheRun_CancelsIt(bool isStream, bool isReset)
    {
        await using var flows = await FlowSidecar.StartAsync();
        var (started, cancelled) = (NewSignal(), NewSignal());
        flows.Application.Actions["/flow/slow"] = async (call, _) =>
        {
            await call.StartAsync();
            started.SetResult();
            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };
        await using (var stream = await flows.ConnectAsync())
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /slow{(isStream ? "?stream=true" : "")} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), Cancellation);
            await started.Task.InTimeAsync();
            stream.Socket.LingerState = new LingerOption(isReset, 0);
        }

        await cancelled.Task.InTimeAsync();
    }

    [Fact]
    public async Task Disconnect_InTheMiddleOfEvents_CancelsTheRunAndFreesIt()
    {
        await using var flows = await FlowSidecar.StartAsync();
        var cancelled = NewSignal();
        var chunk = $"\"{new string('x', 100_000)}\"";
        flows.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            call.Aborted.Register(cancelled.SetResult);
            while (true)
            {
                await call.ChunkAsync(chunk);
            }
        };
        var response = await flows.OpenAsync("/flood");
        await using (var stream = await response.Content.ReadAsStreamAsync(Cancellation))
        {
            await stream.ReadExactlyAsync(new byte[1_000], Cancellation);
        }

        response.Dispose();
        await flows.Log.WaitForAsync("FlowClientDisconnected");
        await cancelled.Task.InTimeAsync();
        await AssertNoRunsAsync(flows);
    }

    [Fact]
    public async Task Disconnect_ByAClientThatHasReadNothing_FreesAResultThatWaits()
    {
        await using var flows = await FlowSidecar.StartAsync();
        var answered = NewSignal();
        flows.Application.Actions["/flow/large"] = async (call, _) =>
        {
            await call.ResultAsync($"\"{new string('x', 30_000_000)}\"");
            answered.SetResult();
        };
        await using (var stream = await flows.ConnectAsync())
        {
            await stream.WriteAsync("POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Cancellation);
            await stream.ReadExactlyAsync(new byte[1], Cancellation).AsTask().InTimeAsync();
        }

        await AssertNoRunsAsync(flows);
    }

    [Fact]
    public async Task Deadline_OfARun_Is504AndCancelsIt()
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-timeout", "200ms");
        flows.Application.Actions["/flow/slow"] = (call, _) => call.WaitForCancelAsync();

        var reply = await flows.PostAsync("/slow");

        Assert.Equal((504, """{"status":"DEADLINE_EXCEEDED","message":"/flow/slow has taken longer than 0.2 s"}"""), (reply.Status, reply.Body));
        Assert.Equal(
            "data: {\"error\":{\"status\":\"DEADLINE_EXCEEDED\",\"message\":\"/flow/slow has taken longer than 0.2 s\"}}\n\n",
            (await flows.PostAsync("/slow?stream=true")).Body);
        await AssertNoRunsAsync(flows);
    }

    [Theory]
    [InlineData("/large")]
    [InlineData("/flood?stream=true")]
    public async Task Deadline_OfAClientThatDoesNotRead_EndsItsRequest(string path)
    {
        await using var flows = await FlowSidecar.StartAsync("--flow-timeout", "200ms");
        flows.Application.Actions["/flow/large"] = (call, _) => call.ResultAsync($"\"{new string('x', 30_000_000)}\"");
        flows.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            while (true)
            {
                await call.ChunkAsync($"\"{new string('x', 100_000)}\"");
            }
        };
        await using var stream = await flows.ConnectAsync();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), Cancellation);
        await stream.ReadExactlyAsync(new byte[1], Cancellation).AsTask().InTimeAsync();

        await AssertNoRunsAsync(flows);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stop_DuringARun_LetsItEndAndTakesNoMore(bool isManagerAway)
    {
        string[] manager = isManagerAway ? ["--manager", $"ws://127.0.0.1:{FakeTelemetryServer.FreePort()}"] : [];
        await using var flows = await FlowSidecar.StartAsync(["--drain-timeout", "10m", .. manager]);
        var (started, go) = (NewSignal(), NewSignal());
        flows.Application.Actions["/flow/slow"] = async (call, _) =>
        {
            started.SetResult();
            await go.Task;
            await call.ResultAsync("\"late\"");
        };
        var answer = flows.PostAsync("/slow");
        await started.Task.InTimeAsync();

        var stopping = flows.Sidecar.StopAsync();
        await flows.Log.WaitForAsync("RunsDraining");
        await AssertStopsListeningAsync(flows);
        go.SetResult();

        Assert.Equal("""{"result":"late"}""", (await answer).Body);
        await stopping;
    }

    [Fact]
    public async Task Stop_RunsThatDoNotEnd_AreCancelledAndTheirClientsTold()
    {
        await using var flows = await FlowSidecar.StartAsync();
        var cancelled = NewSignal();
        flows.Application.Actions["/flow/slow"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };
        using var response = await flows.OpenAsync("/slow");
        await using var stream = await response.Content.ReadAsStreamAsync(Cancellation);
        using var events = new StreamReader(stream);
        Assert.Equal("data: {\"message\":1}", await events.ReadLineAsync(Cancellation).AsTask().InTimeAsync());

        await flows.Sidecar.StopAsync();

        await cancelled.Task.InTimeAsync();
        Assert.Equal("\ndata: {\"error\":{\"status\":\"CANCELLED\",\"message\":\"Action was cancelled\"}}\n\n", await events.ReadToEndAsync(Cancellation));
    }

    [Fact]
    public async Task Stop_ClientThatDoesNotRead_DoesNotHoldItUp()
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.WithResult("large", $"\"{new string('x', 30_000_000)}\"");
        await using var deaf = await flows.ConnectAsync();
        await deaf.WriteAsync("POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Cancellation);
        await deaf.ReadExactlyAsync(new byte[1_000], Cancellation).AsTask().InTimeAsync();

        await flows.Sidecar.StopAsync();
    }

    [Fact]
    public async Task Stop_TelemetryServerHangs_StopsSoonAndLogsTheLoss()
    {
        await using var telemetry = await FakeTelemetryServer.StartAsync();
        telemetry.Answer = async (context, _) =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return 200;
        };
        await using var flows = await FlowSidecar.StartAsync("--telemetry-server", telemetry.Address.ToString(), "--telemetry-wait", "0", "--telemetry-timeout", "10m");
        flows.WithResult("f", "1");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await flows.PostAsync("/f")).Status);
        }

        await flows.Sidecar.StopAsync();

        // The host is not disposed yet, so the spans could have been posted until now.
        await flows.Log.WaitForAsync("TelemetryLostAtShutdown");
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits until every run has ended and returned its memory. No run can start afterwards.</summary>
    private static async Task AssertNoRunsAsync(FlowSidecar flows)
    {
        var runs = flows.Sidecar.Services.GetRequiredService<ActiveRuns>();
        await runs.DrainAsync(Timeouts.Default);
        Assert.Equal(0, runs.Count);
    }

    private static async Task AssertStopsListeningAsync(FlowSidecar flows)
    {
        using var limit = new CancellationTokenSource(Timeouts.Default);
        while (true)
        {
            Assert.False(limit.IsCancellationRequested, "a sidecar that stops takes new connections");
            try
            {
                await using var stream = await flows.ConnectAsync();
            }
            catch (SocketException)
            {
                return;
            }
        }
    }
}
