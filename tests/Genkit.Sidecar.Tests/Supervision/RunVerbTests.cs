using Genkit.Sidecar.Cli;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Tests.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Supervision;

public sealed class RunVerbTests
{
    private readonly TaskCompletionSource<SidecarSettings> _coreStarted = new();
    private readonly CancellationTokenSource _stop = new();

    [Fact]
    public async Task Run_WithCommandAndNoAddress_CoreDialsThePortThatTheCommandWasTold()
    {
        using var directory = new TemporaryDirectory();
        var told = directory.File("told");

        var code = await RunAsync(UntilStopped, Reading.Good(), "sh", "-c", $"printf %s $GENKIT_SIDECAR_LISTEN > {told}");

        Assert.Equal(0, code);
        Assert.Equal($"http://{File.ReadAllText(told)}", (await _coreStarted.Task).Application.Address.Text);
    }

    [Fact]
    public async Task Run_CommandExits_StopsTheCoreAndGivesTheCommandsCode()
    {
        var stopped = false;

        var code = await RunAsync(
            async (_, _, listening, _, stop) =>
            {
                listening(OtlpEndpoints.None);
                await Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => stopped = true, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                return 0;
            },
            Reading.Good(),
            "sh", "-c", "exit 6");

        Assert.Equal(6, code);
        Assert.True(stopped);
    }

    [Fact]
    public async Task Run_CoreEndsByItself_StopsTheCommandAndGivesTheCoresCode()
    {
        var code = await RunAsync(
            (_, _, listening, _, _) =>
            {
                listening(OtlpEndpoints.None);
                return Task.FromResult(42);
            },
            Reading.Good(),
            "sleep", "1000");

        Assert.Equal(42, code);
    }

    [Fact]
    public async Task Run_CoreCannotListen_DoesNotStartTheCommandAndGivesTheCoresCode()
    {
        using var directory = new TemporaryDirectory();
        var started = directory.File("started");

        Assert.Equal(1, await RunAsync((_, _, _, _, _) => Task.FromResult(1), Reading.Good(), "touch", started));

        Assert.False(File.Exists(started));
    }

    [Fact]
    public async Task Run_WithCommandAndOtlpAddressesByDefault_TakesFreePorts()
    {
        await RunAsync(UntilStopped, Reading.Good("--otlp-http 127.0.0.1:4711"), "true");

        var settings = await _coreStarted.Task;
        Assert.Equal(("127.0.0.1:0", "127.0.0.1:4711"), (settings.Otlp.GrpcAddress.Text, settings.Otlp.HttpAddress.Text));
    }

    [Fact]
    public async Task Run_WithCommandAndNowhereForTraces_TakesNoOtlp()
    {
        await RunAsync(UntilStopped, Reading.Good("--telemetry-server off"), "true");

        var settings = await _coreStarted.Task;
        Assert.Equal(("off", "off"), (settings.Otlp.GrpcAddress.Text, settings.Otlp.HttpAddress.Text));
    }

    [Fact]
    public async Task Run_CoreFails_StopsTheCommandAndFails()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync((_, _, _, _, _) => throw new InvalidOperationException(), Reading.Good(), "sleep", "1000"));
    }

    [Fact]
    public async Task Run_StoppedWithCommand_StopsTheCommandFirst()
    {
        var running = RunAsync(UntilStopped, Reading.Good(), "sleep", "1000");
        await _coreStarted.Task;

        await _stop.CancelAsync();

        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task Run_StoppedWithoutCommand_EndsWell()
    {
        var running = RunAsync(UntilStopped, Reading.Good());
        await _coreStarted.Task;

        await _stop.CancelAsync();

        Assert.Equal(0, await running);
    }

    [Theory]
    [InlineData("sleep 1000")]
    [InlineData("")]
    public async Task Run_CoreIsToldToQuit_StopsTheCommandAndThenTheCoreAndEndsWell(string command)
    {
        var code = await RunAsync(
            async (_, _, listening, quit, stop) =>
            {
                listening(OtlpEndpoints.None);
                quit();
                await Task.Delay(Timeout.Infinite, stop);
                return 1;
            },
            Reading.Good(),
            command.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(0, code);
    }

    private async Task<int> UntilStopped(SidecarSettings settings, ILoggerFactory logs, Action<OtlpEndpoints> listening, Action quit, CancellationToken stop)
    {
        listening(OtlpEndpoints.None);
        _coreStarted.SetResult(settings);
        await Task.Delay(Timeout.Infinite, stop);
        return 1;
    }

    private Task<int> RunAsync(ServeDelegate serve, SidecarSettings settings, params string[] command) =>
        new RunVerb(serve, SidecarProcess.Executable, NullLoggerFactory.Instance, hasColor: false)
            .RunAsync(settings, command, _stop.Token)
            .WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);
}
