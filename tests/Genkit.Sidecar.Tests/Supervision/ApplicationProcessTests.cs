using Genkit.Sidecar.Supervision;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Supervision;

public sealed class ApplicationProcessTests
{
    [Fact]
    public async Task StopAsync_RightAfterStart_IsNotLost()
    {
        await using var application = Start(TimeSpan.FromMinutes(10), "sleep", "1000");

        var exit = await application.StopAsync(Posix.SignalTerminate, Never).WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

        Assert.Equal(new ChildExit(143), exit);
    }

    [Fact]
    public async Task StopAsync_AlreadyExited_GivesItsCode()
    {
        await using var application = Start(TimeSpan.FromMinutes(10), "sh", "-c", "exit 9");
        await application.Exited.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

        Assert.Equal(new ChildExit(9), await application.StopAsync(Posix.SignalTerminate, Never));
    }

    [Fact]
    public async Task DisposeAsync_StillRunning_EndsIt()
    {
        var application = Start(TimeSpan.Zero, "sleep", "1000");

        await application.DisposeAsync();

        Assert.True(application.Exited.IsCompleted);
        Assert.InRange((await application.Exited).Code, 128 + Posix.SignalKill, 128 + Posix.SignalTerminate);
    }

    [Fact]
    public async Task Start_LauncherIsMissing_ExitsLikeAMissingCommand()
    {
        var command = new ApplicationCommand(["true"], "127.0.0.1:1", new("/no/such/sidecar", []));
        await using var application = ApplicationProcess.Start(command, TimeSpan.Zero, NullLogger.Instance);

        Assert.Equal(new ChildExit(127), await application.Exited);
    }

    private static Task Never { get; } = new TaskCompletionSource().Task;

    private static ApplicationProcess Start(TimeSpan stopTimeout, params string[] words) =>
        ApplicationProcess.Start(new(words, "127.0.0.1:1", SidecarProcess.Executable), stopTimeout, NullLogger.Instance);
}
