using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class CancelTests
{
    [Fact]
    public async Task Cancel_ActiveRun_AnswersFirstAndThenEndsTheRun()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var (started, cancelled) = RunUntilCancelled(sidecar);
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/long"));
        var state = await sidecar.Peer.ReceiveAsync();
        await started.InTimeAsync();

        await sidecar.Peer.SendAsync(Requests.Cancel("2", state.TraceId()));
        var reply = await sidecar.Peer.ReceiveTextAsync();
        var end = await sidecar.Peer.ReceiveAsync();

        Assert.Equal("""{"jsonrpc":"2.0","result":{"message":"Action cancelled"},"id":"2"}""", reply);
        var details = end.AssertFailure(1, "Action was cancelled");
        Assert.Equal(state.TraceId(), details.Text("traceId"));
        await cancelled.InTimeAsync();
    }

    [Fact]
    public async Task Cancel_Twice_FindsNothingTheSecondTime()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        _ = RunUntilCancelled(sidecar);
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/long"));
        var state = await sidecar.Peer.ReceiveAsync();

        await sidecar.Peer.SendAsync(Requests.Cancel("2", state.TraceId()));
        await sidecar.Peer.SendAsync(Requests.Cancel("3", state.TraceId()));
        var frames = new[] { await sidecar.Peer.ReceiveAsync(), await sidecar.Peer.ReceiveAsync(), await sidecar.Peer.ReceiveAsync() };

        frames.Single(frame => frame.Answers("3")).AssertError(-32602, 5, "Action not found or already completed");
    }

    [Theory]
    [InlineData("00000000000000000000000000000000")]
    [InlineData("")]
    public async Task Cancel_UnknownTrace_IsNotFound(string traceId)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.Cancel("2", traceId));

        answer.AssertError(-32602, 5, "Action not found or already completed");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"traceId":5}""")]
    [InlineData("""{"traceId":null}""")]
    [InlineData("[]")]
    public async Task Cancel_WithoutTraceId_IsInvalid(string parameters)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(Requests.Call("2", "cancelAction", parameters));

        answer.AssertError(-32602, 3, "params.traceId: a string is required");
    }

    [Fact]
    public async Task Cancel_RunThatHasEnded_IsNotFound()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("1");
        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        var answer = await sidecar.Peer.AskForOneAsync(Requests.Cancel("2", frames[0].TraceId()));

        answer.AssertError(-32602, 5, "Action not found or already completed");
    }

    [Fact]
    public async Task Cancel_ActionIgnoresIt_IsCancelledAllTheSame()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/deaf"] = async (call, _) =>
        {
            await release.Task;
            await call.ResultAsync("1");
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/deaf"));
        var state = await sidecar.Peer.ReceiveAsync();

        await sidecar.Peer.SendAsync(Requests.Cancel("2", state.TraceId()));
        await sidecar.Peer.ReceiveAsync();
        var end = await sidecar.Peer.ReceiveAsync();
        release.SetResult();

        end.AssertFailure(1, "Action was cancelled");
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Cancel_RunBlockedByASlowManager_ReachesTheApplication()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var chunk = $"\"{new string('x', 100_000)}\"";
        var cancelled = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            try
            {
                while (true)
                {
                    await call.ChunkAsync(chunk);
                }
            }
            finally
            {
                cancelled.TrySetResult();
            }
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/flood", stream: true));
        var state = await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.ReceiveAsync();

        await sidecar.Peer.SendAsync(Requests.Cancel("2", state.TraceId()));
        await cancelled.Task.InTimeAsync();
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync("1");

        frames[^1].AssertFailure(1, "Action was cancelled");
        Assert.Contains(frames, frame => frame.Answers("2"));
    }

    [Fact]
    public async Task Cancel_RunsInFullFlow_AlwaysAnswersBeforeTheRunsEnd()
    {
        const int Runs = 64;
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            while (true)
            {
                await call.ChunkAsync("1");
            }
        };

        for (var i = 0; i < Runs; i++)
        {
            await sidecar.Peer.SendAsync(Requests.Run($"run{i}", "/flow/flood", stream: true));
            var frames = await sidecar.Peer.ReceiveAsync();
            for (var chunks = 0; chunks < 20; chunks++)
            {
                await sidecar.Peer.ReceiveAsync();
            }

            await sidecar.Peer.SendAsync(Requests.Cancel($"cancel{i}", frames.TraceId()));
            var rest = await sidecar.Peer.ReceiveUntilAnswerAsync($"run{i}");

            Assert.Contains(rest, frame => frame.Answers($"cancel{i}"));
        }
    }

    [Fact]
    public async Task Cancel_StreamedInputRun_IgnoresWhatComesLater()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var (started, cancelled) = RunUntilCancelled(sidecar);
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/long", streamInput: true));
        var state = await sidecar.Peer.ReceiveAsync();
        await started.InTimeAsync();

        await sidecar.Peer.SendAsync(Requests.Cancel("2", state.TraceId()));
        await sidecar.Peer.SendAsync(Requests.Chunk("1", "1"));
        await sidecar.Peer.ReceiveAsync();
        var end = await sidecar.Peer.ReceiveAsync();

        end.AssertFailure(1, "Action was cancelled");
        await cancelled.InTimeAsync();
        await sidecar.Peer.AssertAnswersAsync();
    }

    /// <summary>Returns tasks that complete when the application has received the run, and when it sees the cancellation.</summary>
    private static (Task Started, Task Cancelled) RunUntilCancelled(RegisteredSidecar sidecar)
    {
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/long"] = async (call, _) =>
        {
            await call.StartAsync();
            started.SetResult();
            await call.WaitForCancelAsync();
            cancelled.TrySetResult();
        };
        return (started.Task, cancelled.Task);
    }
}
