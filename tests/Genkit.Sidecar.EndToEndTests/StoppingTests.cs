using System.Diagnostics;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>What SIGTERM does to a sidecar whose peers are well, frozen, or slow.</summary>
public sealed class StoppingTests : EndToEndTest
{
    /// <summary>What container runtimes give a process. The sidecar's own bound is 5 s, which a busy machine may stretch.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private string Socket => Path.Combine(Workspace.Folder, "app.sock");

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true, Traits = ["Tier", "All"])]
    [InlineData(true, false, Traits = ["Tier", "All"])]
    [InlineData(true, true)]
    public async Task Terminated_WithAFrozenPeer_EndsWellAndInTime(bool managerIsFrozen, bool applicationIsFrozen)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        var application = await StartApplicationAsync();
        var sidecar = StartSidecar(manager);
        await manager.RuntimeAddedAsync();
        var run = await manager.RunActionAsync("""{"key": "/flow/slow"}""", stream: true);
        await run.ChunkAsync();
        if (managerIsFrozen)
        {
            Signal.Stop.Send(manager.ProcessId);
        }

        if (applicationIsFrozen)
        {
            Signal.Stop.Send(application.Id);
        }

        var start = Stopwatch.GetTimestamp();
        Signal.Terminate.Send(sidecar.Id);

        Assert.Equal(0, await sidecar.ExitAsync());
        var took = Stopwatch.GetElapsedTime(start);
        Assert.True(took < s_patience, $"Stopping took {took}");
    }

    [Fact]
    public async Task Terminated_DuringARun_LetsItEnd()
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        await StartApplicationAsync();
        var sidecar = StartSidecar(manager, "--drain-timeout", "10m");
        await manager.RuntimeAddedAsync();
        var run = await manager.RunActionAsync("""{"key": "/flow/chat"}""", stream: true, streamInput: true);
        await run.SendInputAsync("""{"text": "still"}""");
        await run.ChunkAsync();

        Signal.Terminate.Send(sidecar.Id);
        await sidecar.EventAsync("RunsDraining");
        await run.EndInputAsync();

        Assert.True((await run.AnswerAsync()).TryGetProperty("result", out _));
        Assert.Equal(0, await sidecar.ExitAsync());
    }

    [Fact]
    public async Task TerminatedTwice_EndsAtOnce()
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        await StartApplicationAsync();
        var sidecar = StartSidecar(manager, "--drain-timeout", "10m");
        await manager.RuntimeAddedAsync();
        var run = await manager.RunActionAsync("""{"key": "/flow/slow"}""", stream: true);
        await run.ChunkAsync();

        Signal.Terminate.Send(sidecar.Id);
        await sidecar.EventAsync("RunsDraining");
        await sidecar.InsistAsync(Signal.Terminate);

        Assert.Equal(143, await sidecar.ExitAsync());
    }

    private async Task<RunningProcess> StartApplicationAsync()
    {
        var application = Workspace.Start(
            HelloApplication.In("python").Command,
            new Dictionary<string, string> { ["GENKIT_SIDECAR_LISTEN"] = $"unix:{Socket}" });
        await application.Output.FirstAsync(line => line.Contains("listens on", StringComparison.Ordinal), "the application's address");
        return application;
    }

    // Not through the workspace's log file: these tests wait for what the sidecar says.
    private RunningProcess StartSidecar(ManagerHost manager, params IEnumerable<string> options) =>
        Workspace.Start([Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), "run", "--manager", manager.Url, "--app", $"unix:{Socket}", .. options]);
}
