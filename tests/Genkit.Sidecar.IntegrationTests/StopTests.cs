using System.Diagnostics;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class StopTests
{
    /// <summary>Well below the 10 s that container runtimes give a process, and far above the second that flushing to the manager may take.</summary>
    private static readonly TimeSpan s_prompt = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Stop_RunsEndInTime_AreAnsweredAndNewOnesRefused()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--drain-timeout", "10m");
        var (started, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            started.SetResult();
            await release.Task;
            await call.ResultAsync("1");
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        await sidecar.Peer.ReceiveAsync();
        await started.Task.InTimeAsync();

        var stopping = sidecar.Sidecar.StopAsync();
        var draining = await sidecar.Log.WaitForAsync("RunsDraining");
        var refused = await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/x"));
        var listing = await sidecar.Peer.AskForOneAsync(Requests.ListActions("3"));
        release.SetResult();
        var answer = await sidecar.Peer.ReceiveAsync();
        var closed = await sidecar.Peer.ReceiveBytesAsync();
        await stopping;

        Assert.Equal(("1", "600"), (draining["Count"], draining["Seconds"]));
        Assert.Equal("The sidecar is stopping and starts no more runs", refused[^1].AssertFailure(14));
        Assert.True(listing.Has("result"));
        Assert.Equal("1", answer.Result());
        Assert.Null(closed);
    }

    [Fact]
    public async Task Stop_RunsTakeLongerThanAHostUsuallyWaits_AreNotCutShort()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--drain-timeout", "10m");

        var host = sidecar.Sidecar.Services.GetRequiredService<IOptions<HostOptions>>().Value;

        Assert.Equal(Timeout.InfiniteTimeSpan, host.ShutdownTimeout);
    }

    [Fact]
    public async Task Stop_ManagerGoesWhileRunsEnd_DoesNotWaitForThem()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--drain-timeout", "10m");
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        await sidecar.Peer.ReceiveAsync();

        var stopping = sidecar.Sidecar.StopAsync();
        await sidecar.Log.WaitForAsync("RunsDraining");
        await sidecar.Manager.DisposeAsync();

        await stopping;
    }

    [Fact]
    public async Task Stop_RunsOutlastTheDrain_CancelsAnswersAndCloses()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--drain-timeout", "100ms");
        using var started = new SemaphoreSlim(0);
        using var cancelled = new SemaphoreSlim(0);
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            started.Release();
            await call.WaitForCancelAsync();
            cancelled.Release();
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        await sidecar.Peer.SendAsync(Requests.Run("2", "/flow/x", streamInput: true));
        await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.ReceiveAsync();
        await TwiceAsync(started);

        var stopping = sidecar.Sidecar.StopAsync();
        var answers = new[] { await sidecar.Peer.ReceiveAsync(), await sidecar.Peer.ReceiveAsync() };
        var closed = await sidecar.Peer.ReceiveBytesAsync();
        await stopping;

        Assert.All(answers, answer => answer.AssertFailure(1, "Action was cancelled"));
        Assert.Null(closed);
        Assert.Equal("2", (await sidecar.Log.WaitForAsync("DrainTimedOut"))["Count"]);
        await TwiceAsync(cancelled);
    }

    [Fact]
    public async Task Stop_Idle_ClosesWithAHandshake()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Sidecar.StopAsync();

        Assert.Null(await sidecar.Peer.ReceiveBytesAsync());
        Assert.Equal(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, sidecar.Peer.CloseStatus);
    }

    [Fact]
    public async Task Stop_ManagerIsAway_IsPrompt()
    {
        var elsewhere = await FakeManager.StartAsync();
        await elsewhere.DisposeAsync();
        await using var application = await FakeApplication.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(elsewhere.Address, application.Address, "--reconnect-interval", "10m", "--reconnect-max-interval", "10m");
        await sidecar.Log.WaitForAsync("ManagerConnectFailed");

        await AssertStopsPromptlyAsync(sidecar);
    }

    [Fact]
    public async Task Stop_ApplicationIsAwaited_IsPrompt()
    {
        var elsewhere = await FakeApplication.StartAsync();
        await elsewhere.DisposeAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, elsewhere.Address);
        await sidecar.Log.WaitForAsync("ApplicationAwaited");

        await AssertStopsPromptlyAsync(sidecar);
    }

    [Fact]
    public async Task Stop_LargeResultIsHeldForAManagerThatIsAway_IsPrompt()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--reconnect-interval", "20ms");
        var release = new TaskCompletionSource();
        var sent = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await release.Task;
            await call.ResultAsync($"\"{new string('x', 1_000_000)}\"");
            sent.SetResult();
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        await sidecar.Peer.ReceiveAsync();
        await sidecar.Manager.DisposeAsync();
        await sidecar.Log.WaitForAsync("RunsHeld");
        release.SetResult();
        await sent.Task.InTimeAsync();

        await AssertStopsPromptlyAsync(sidecar.Sidecar);
    }

    [Fact]
    public async Task Stop_ManagerDoesNotReadAndRunsAreBlocked_IsPrompt()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var chunk = $"\"{new string('x', 8_000_000)}\"";
        sidecar.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            await call.ChunkAsync(chunk);
            await call.ChunkAsync(chunk);
            await call.ResultAsync("1");
        };
        for (var i = 0; i < 4; i++)
        {
            await sidecar.Peer.SendAsync(Requests.Run($"{i}", "/flow/flood", stream: true));
        }

        await sidecar.Peer.ReceiveAsync();

        await AssertStopsPromptlyAsync(sidecar.Sidecar);
    }

    private static async Task TwiceAsync(SemaphoreSlim semaphore)
    {
        await semaphore.WaitAsync(TestContext.Current.CancellationToken).InTimeAsync();
        await semaphore.WaitAsync(TestContext.Current.CancellationToken).InTimeAsync();
    }

    private static async Task AssertStopsPromptlyAsync(SidecarFixture sidecar)
    {
        var start = Stopwatch.GetTimestamp();
        await sidecar.StopAsync();
        var took = Stopwatch.GetElapsedTime(start);

        Assert.True(took < s_prompt, $"Stopping took {took}");
    }
}
