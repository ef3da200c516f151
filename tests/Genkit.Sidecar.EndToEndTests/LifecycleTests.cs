using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>Start, exit and restart of manager, sidecar and application in different orders.</summary>
public sealed class LifecycleTests : EndToEndTest
{
    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Manager_RestartsOnTheSamePort_IsFoundAgain(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Start(manager, language);
        await manager.RuntimeAddedAsync();

        await manager.StopAsync();
        var restarted = await ManagerHost.StartAsync(Workspace, manager.Port);
        await restarted.RuntimeAddedAsync();

        await AssertGreetsAsync(restarted);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Manager_StartsAfterTheSidecar_IsFound(string language)
    {
        var first = await ManagerHost.StartAsync(Workspace);
        await first.StopAsync();
        var sidecar = Start(first, language);
        await sidecar.Output.FirstAsync(line => line.Contains("listens on", StringComparison.Ordinal), "the application's address");

        var manager = await ManagerHost.StartAsync(Workspace, first.Port);
        await manager.RuntimeAddedAsync();

        await AssertGreetsAsync(manager);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task TwoSidecars_WithOneRuntimeId_AreOneRuntime(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Start(manager, language, "--runtime-id", "twin");
        await manager.RuntimeAddedAsync();
        var second = Start(manager, language, "--runtime-id", "twin");
        await manager.RuntimeAddedAsync();

        Assert.Equal(1, (await manager.RuntimesAsync()).GetArrayLength());
        await AssertGreetsAsync(manager);

        Signal.Terminate.Send(second.Id);
        Assert.Equal("twin", (await manager.RuntimeRemovedAsync()).GetProperty("id").GetString());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task TwoSidecars_WithoutRuntimeIds_AreTwoRuntimes(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        Start(manager, language);
        await manager.RuntimeAddedAsync();
        Start(manager, language);
        await manager.RuntimeAddedAsync();

        Assert.Equal(2, (await manager.RuntimesAsync()).GetArrayLength());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Sidecar_Killed_LeavesNoApplicationBehind(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        var sidecar = Start(manager, language);
        await manager.RuntimeAddedAsync();

        Signal.Kill.Send(sidecar.Id);

        await manager.RuntimeRemovedAsync();
        await manager.StopAsync();
        await Gone.WaitAsync(Workspace.ProcessIds());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Sidecar_Terminated_EndsWithTheApplicationsExitCode(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        var sidecar = Start(manager, language);
        await manager.RuntimeAddedAsync();

        Signal.Terminate.Send(sidecar.Id);

        await manager.RuntimeRemovedAsync();
        Assert.Equal(0, await sidecar.ExitAsync());
        await manager.StopAsync();
        Assert.Empty(Workspace.ProcessIds());
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task Sidecar_TerminatedDuringARun_NeedsNotKillTheApplication(string language)
    {
        var manager = await ManagerHost.StartAsync(Workspace);
        var sidecar = Start(manager, language);
        await manager.RuntimeAddedAsync();
        var run = await manager.RunActionAsync("""{"key": "/flow/slow"}""", stream: true);
        await run.ChunkAsync();

        Signal.Terminate.Send(sidecar.Id);

        await manager.RuntimeRemovedAsync();
        Assert.Equal(0, await sidecar.ExitAsync());
    }

    [Fact]
    public async Task Application_Exits_EndsTheSidecarWithItsExitCode()
    {
        var manager = await ManagerHost.StartAsync(Workspace);

        var sidecar = Workspace.Start(SidecarCommand.Run(
            Workspace, ["sh", "-c", "echo out; echo err >&2; exit 7"], "--manager", manager.Url));

        Assert.Equal(7, await sidecar.ExitAsync());
        Assert.Contains("out", sidecar.Output.Snapshot());
        Assert.Contains("err", $"{Workspace.SidecarLog}".Split('\n'));
    }

    [Fact]
    public async Task Application_Started_GetsAnAddressAndNoneOfTheManagersVariables()
    {
        var manager = await ManagerHost.StartAsync(Workspace);

        var sidecar = Workspace.Start(
            SidecarCommand.Run(Workspace, ["env"]),
            new Dictionary<string, string>
            {
                ["GENKIT_REFLECTION_V2_SERVER"] = manager.Url,
                ["GENKIT_RUNTIME_ID"] = "mine",
                ["GENKIT_TELEMETRY_SERVER"] = "http://127.0.0.1:9",
                ["GENKIT_ENV"] = "dev",
            });

        await sidecar.ExitAsync();
        var names = sidecar.Output.Snapshot().Select(line => line.Split('=')[0]).ToHashSet();
        Assert.Contains("GENKIT_SIDECAR_LISTEN", names);
        Assert.Contains("GENKIT_ENV", names);
        Assert.DoesNotContain("GENKIT_REFLECTION_V2_SERVER", names);
        Assert.DoesNotContain("GENKIT_RUNTIME_ID", names);
        Assert.DoesNotContain("GENKIT_TELEMETRY_SERVER", names);
    }

    private RunningProcess Start(ManagerHost manager, string language, params IEnumerable<string> options) =>
        Workspace.Start(SidecarCommand.Run(
            Workspace, HelloApplication.In(language).Command, ["--manager", manager.Url, .. options]));

    private static async Task AssertGreetsAsync(ManagerHost manager)
    {
        var run = await manager.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        JsonAssert.Equal("""{"greeting": "Hello, Ada!"}""", (await run.AnswerAsync()).GetProperty("result"));
    }
}
