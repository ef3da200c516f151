using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`genkit-sidecar health`, as an orchestrator without a shell executes it, against the sidecar of an application.</summary>
public sealed class HealthTests : EndToEndTest
{
    [Fact]
    public async Task Health_NothingRuns_FailsAndNamesTheAddress()
    {
        var (exitCode, printed) = await AskAsync("ready");

        Assert.Equal(1, exitCode);
        Assert.Equal($"nothing listens at {Address} (--health): is the sidecar running?", printed);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Health_ManagerAndApplicationComeAndGo_FollowsThem(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        var sidecar = Workspace.Start(SidecarCommand.Run(
            Workspace, HelloApplication.In(language).Command, "--manager", manager.Url, "--health", Address));
        await manager.RuntimeAddedAsync();

        var ready = await UntilAsync(0, "ready");
        await manager.StopAsync();
        var away = await UntilAsync(1, "ready");

        Assert.StartsWith("ok\n", ready, StringComparison.Ordinal);
        Assert.Contains($"manager: yes, registered with {manager.Url}/", ready, StringComparison.Ordinal);
        Assert.Contains("application: yes, answers at ", ready, StringComparison.Ordinal);
        Assert.StartsWith("not ready\n", away, StringComparison.Ordinal);
        Assert.Contains("manager: no, ", away, StringComparison.Ordinal);
        await UntilAsync(0, "live");
        await UntilAsync(0, "startup");

        Signal.Terminate.Send(sidecar.Id);
        await sidecar.ExitAsync();
        Assert.Equal(1, (await AskAsync("live")).ExitCode);
    }

    [Fact]
    public async Task Health_ApplicationHasNotStarted_HasStartedAllTheSame()
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Workspace.Start(SidecarCommand.Of(
            Workspace, "run", "--manager", manager.Url, "--health", Address, "--app", $"unix:{Path.Combine(Workspace.Folder, "later.sock")}"));

        Assert.StartsWith("ok\n", await UntilAsync(0, "startup"), StringComparison.Ordinal);
        Assert.Equal(1, (await AskAsync("ready")).ExitCode);
    }

    private string Address => $"unix:{Path.Combine(Workspace.Folder, "health.sock")}";

    /// <summary>Repeats the probe until its exit code is this one, because the sidecar starts and notices a loss asynchronously.</summary>
    private async Task<string> UntilAsync(int exitCode, string probe)
    {
        using var limit = new CancellationTokenSource(Timeouts.Default);
        while (true)
        {
            var answer = await AskAsync(probe);
            if (answer.ExitCode == exitCode)
            {
                return answer.Printed;
            }

            Assert.False(limit.IsCancellationRequested, $"health {probe} stays {answer.ExitCode}: {answer.Printed}");
        }
    }

    private async Task<(int ExitCode, string Printed)> AskAsync(string probe)
    {
        var command = Workspace.Start(SidecarCommand.Of(Workspace, "health", probe, "--health", Address));
        return (await command.ExitAsync(), $"{command.Output}");
    }
}
