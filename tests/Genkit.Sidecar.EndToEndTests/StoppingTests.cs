using System.Diagnostics;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>SIGTERM to a sidecar whose peers are healthy, suspended, or slow.</summary>
public sealed class StoppingTests : EndToEndTest
{
    /// <summary>The time that container runtimes give a process. The sidecar's own limit is 5 s, which a busy machine may exceed.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private string Socket => Path.Combine(Workspace.Folder, "app.sock");

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true, Traits = ["Tier", "All"])]
    [InlineData(true, false, Traits = ["Tier", "All"])]
    [InlineData(true, true)]
    public async Task Terminated_WithAFrozenPeer_ExitsWithZeroInTime(bool managerIsFrozen, bool applicationIsFrozen)
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

    // Does not use the workspace's log file, because these tests wait for the sidecar's events.
    private RunningProcess StartSidecar(ManagerHost manager, params IEnumerable<string> options) =>
        Workspace.Start([Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), "run", "--manager", manager.Url, "--app", $"unix:{Socket}", .. options]);
}
