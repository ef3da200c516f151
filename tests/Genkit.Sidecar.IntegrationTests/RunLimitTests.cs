using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class RunLimitTests
{
    [Fact]
    public async Task Run_OneTooMany_IsRefusedAndTheOthersGoOn()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-concurrent-runs", "1");
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await release.Task;
            await call.ResultAsync("1");
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        await sidecar.Peer.ReceiveAsync();

        var refused = await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/x"));
        release.SetResult();
        var answer = await sidecar.Peer.ReceiveAsync();

        refused[^1].AssertFailure(8, "1 runs are active, as many as --max-concurrent-runs allows");
        Assert.Equal("1", answer.Result());
    }

    [Fact]
    public async Task Run_AfterTheAnswerOfTheOneBefore_IsNotOneTooMany()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-concurrent-runs", "1");
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ResultAsync("1");

            // The call stays open for as long as the sidecar allows. The run ends before.
            await call.WaitForCancelAsync();
        };
        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        var next = await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/x"));

        Assert.Equal("1", next[^1].Result());
    }
}
