using System.Text.Json;
using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Runs whose connection to the manager is lost: which manager gets their answer, and which must not.</summary>
public sealed class HeldRunTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(1_000_000)]
    public async Task Run_ManagerIsBackAndSilent_GetsItsResultUnderTheOldId(int length)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var action = Hold(sidecar);
        var state = await action.StartRunAsync(sidecar.Peer, "3");

        sidecar.Peer.Cut();
        Assert.Equal("1", (await sidecar.Log.WaitForAsync("RunsHeld"))["Count"]);
        action.Release.SetResult($"\"{new string('x', length)}\"");
        var peer = await sidecar.Manager.AcceptRegisteredAsync();
        var answer = await peer.ReceiveAsync();

        Assert.True(answer.Answers("3"));
        Assert.Equal(length + 2, answer.Result().Length);
        Assert.Equal(state.TraceId(), answer.Text("result", "telemetry", "traceId"));
    }

    [Fact]
    public async Task Result_ConnectionIsCutWhileItIsSent_ReachesTheManagerOverTheNext()
    {
        const int Length = 33 * 1024 * 1024;
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var given = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ResultAsync($"\"{new string('x', Length)}\"");
            given.SetResult();
        };
        await sidecar.Peer.SendAsync(Requests.Run("3", "/flow/x"));
        await sidecar.Peer.ReceiveAsync();

        // The manager stops reading, and the result does not fit into the socket's buffers.
        await given.Task.InTimeAsync();
        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();
        var answer = await peer.ReceiveAsync();

        Assert.True(answer.Answers("3"));
        Assert.Equal(Length + 2, answer.Result().Length);
    }

    [Fact]
    public async Task Run_ManagerIsBackWithAHigherId_GetsItsResult()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var action = Hold(sidecar);
        await action.StartRunAsync(sidecar.Peer, "3");
        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();

        var list = await peer.AskForOneAsync(Requests.ListActions("4"));
        action.Release.SetResult("1");
        var answer = await peer.ReceiveAsync();

        Assert.True(list.Answers("4"));
        Assert.True(answer.Answers("3"));
        Assert.Equal("1", (await sidecar.Log.WaitForAsync("RunsResumed"))["Count"]);
    }

    [Fact]
    public async Task Run_ManagerIsBackWhileItStreams_GoesOnInOrder()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var permits = new SemaphoreSlim(0);
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await permits.WaitAsync(call.Aborted);
            await call.ChunkAsync("2");
            await call.ChunkAsync("3");
            await call.ResultAsync("4");
        };
        await sidecar.Peer.SendAsync(Requests.Run("3", "/flow/x", stream: true));
        await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.ReceiveAsync();

        sidecar.Peer.Cut();
        await sidecar.Log.WaitForAsync("RunsHeld");
        permits.Release();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();
        var frames = new[] { await peer.ReceiveAsync(), await peer.ReceiveAsync(), await peer.ReceiveAsync() };

        Assert.Equal(["2", "3"], frames[..2].Select(frame => frame.Chunk()));
        Assert.Equal("4", frames[2].Result());
    }

    [Fact]
    public async Task Run_ManagerWasRestarted_IsCancelledAndNotAnswered()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var action = Hold(sidecar);
        await action.StartRunAsync(sidecar.Peer, "3");
        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();

        var answer = await peer.AskForOneAsync(Requests.ListActions("1"));
        await action.Cancelled.Task.InTimeAsync();

        Assert.True(answer.Answers("1"));
        Assert.Equal("1", (await sidecar.Log.WaitForAsync("RunsOfReplacedManagerCancelled"))["Count"]);
        await peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Run_ManagerPresumedTheSameProvesToBeAnother_IsCancelledAndNotAnswered()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var action = Hold(sidecar);
        await sidecar.Peer.AskForOneAsync(Requests.ListActions("4"));
        await action.StartRunAsync(sidecar.Peer, "5");
        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();
        await sidecar.Log.WaitForAsync("RunsResumed");

        await peer.AskForOneAsync(Requests.ListActions("1"));
        await action.Cancelled.Task.InTimeAsync();

        await peer.AssertAnswersAsync();
        Assert.Equal("1", (await sidecar.Log.WaitForAsync("RunsOfReplacedManagerCancelled"))["Count"]);
    }

    [Fact]
    public async Task Run_PresumedAndThenProvenTheSame_IsAnsweredOnce()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var action = Hold(sidecar);
        await action.StartRunAsync(sidecar.Peer, "5");
        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();
        await sidecar.Log.WaitForAsync("RunsResumed");

        await peer.AskForOneAsync(Requests.ListActions("6"));
        action.Release.SetResult("1");
        var answer = await peer.ReceiveAsync();

        Assert.True(answer.Answers("5"));
        await peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Run_ManagerIsAwayForTooLong_IsCancelled()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms", "--run-grace", "200ms");
        var action = Hold(sidecar);
        await action.StartRunAsync(sidecar.Peer, "3");

        await sidecar.Manager.DisposeAsync();
        await action.Cancelled.Task.InTimeAsync();

        Assert.Contains("--run-grace", (await sidecar.Log.WaitForAsync("RunsCancelled")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ManagerConnectsButNeverTakesTheRegistration_IsCancelledAfterTheGrace()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms", "--run-grace", "500ms", "--register-timeout", "100ms");
        var action = Hold(sidecar);
        await action.StartRunAsync(sidecar.Peer, "3");

        sidecar.Peer.Cut();
        await action.Cancelled.Task.InTimeAsync();

        Assert.Equal(1, sidecar.Log.Count("RunsHeld"));
    }

    [Fact]
    public async Task Run_NoGrace_IsCancelledWithItsConnection()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--run-grace", "0");
        var action = Hold(sidecar);
        await action.StartRunAsync(sidecar.Peer, "3");

        sidecar.Peer.Cut();

        await action.Cancelled.Task.InTimeAsync();
    }

    [Fact]
    public async Task StreamedInput_ConnectionIsLost_IsHalfClosedAndTheResultStillComes()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            var count = 0;
            while (await call.ReadChunkAsync() is not null)
            {
                count++;
            }

            await call.ResultAsync($"{count}");
        };
        await sidecar.Peer.SendAsync(Requests.Run("3", "/flow/x", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.Chunk("3", "1"));
        await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.AssertAnswersAsync();

        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();
        var answer = await peer.ReceiveAsync();

        Assert.True(answer.Answers("3"));
        Assert.Equal("1", answer.Result());
    }

    [Fact]
    public async Task Run_HeldAndCancelledByTrace_AnswersBothOnTheNewConnection()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var action = Hold(sidecar);
        var state = await action.StartRunAsync(sidecar.Peer, "3");
        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptRegisteredAsync();

        await peer.SendAsync(Requests.Cancel("4", state.TraceId()));
        var reply = await peer.ReceiveAsync();
        var end = await peer.ReceiveAsync();

        Assert.True(reply.Answers("4"));
        Assert.True(end.Answers("3"));
        end.AssertFailure(1, "Action was cancelled");
    }

    private static HeldAction Hold(RegisteredSidecar sidecar)
    {
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/held"] = async (call, _) =>
        {
            await call.StartAsync();
            started.SetResult();
            await Task.WhenAny(release.Task, call.Cancelled.Task);
            if (call.Cancelled.Task.IsCompleted)
            {
                cancelled.TrySetResult();
                return;
            }

            await call.ResultAsync(await release.Task);
        };
        return new HeldAction(started.Task, release, cancelled);
    }

    /// <summary>An action that ends on cue.</summary>
    private sealed record HeldAction(Task Started, TaskCompletionSource<string> Release, TaskCompletionSource Cancelled)
    {
        /// <summary>Starts a run of the action and waits until the application has received it. Returns the run's state.</summary>
        public async Task<JsonElement> StartRunAsync(ManagerSocketPeer peer, string id)
        {
            await peer.SendAsync(Requests.Run(id, "/flow/held"));
            var state = await peer.ReceiveAsync();
            await Started.InTimeAsync();
            return state;
        }
    }
}
