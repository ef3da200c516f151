using System.Diagnostics;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Tests.Supervision;

public sealed class LauncherTests
{
    [Fact]
    public void Run_ArgumentsIncomplete_IsAUsageError() => Assert.Equal(64, Launcher.Run([Launcher.Verb, "1", "--"]));

    [Fact]
    public async Task Run_ParentIsAnotherByThen_StartsNothing()
    {
        // Not the parent of any process: process ids start at 1.
        var start = new ProcessStartInfo(SidecarProcess.Executable.FileName, Launcher.Arguments(0, null, [], ["echo", "started"])) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;

        Assert.Empty(await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(137, process.ExitCode);
    }

    [Fact]
    public async Task Run_VariablesOfTheLauncher_AreGoneForTheCommand()
    {
        var arguments = Launcher.Arguments(Environment.ProcessId, null, ["ONLY_OURS"], ["sh", "-c", "echo ${ONLY_OURS-unset}"]);
        var start = new ProcessStartInfo(SidecarProcess.Executable.FileName, arguments) { RedirectStandardOutput = true };
        start.Environment["ONLY_OURS"] = "set";
        using var process = Process.Start(start)!;

        Assert.Equal("unset\n", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
    }
}
