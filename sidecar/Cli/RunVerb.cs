using System.Diagnostics;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Cli;

/// <summary>
/// <c>run</c>: the host until it is stopped, and with a command for as long as that lives. The host outlasts the
/// command's own shutdown, so that the last answers still find their way.
/// </summary>
internal sealed partial class RunVerb(ServeDelegate serve, SidecarExecutable executable, ILoggerFactory logs, bool hasColor)
{
    /// <summary>
    /// What the host may take to stop beyond the time that runs are given: a second or so for the last answers and traces, and a moment each for the callers
    /// of its listeners. With the defaults all of it stays below 5 s.
    /// </summary>
    private static readonly TimeSpan s_serveStopTimeout = TimeSpan.FromSeconds(1.75);

    private readonly ILogger _logger = logs.CreateLogger<RunVerb>();

    public async Task<int> RunAsync(SidecarSettings settings, IReadOnlyList<string> command, CancellationToken stop)
    {
        using var signals = new StopSignals();
        if (command.Count == 0)
        {
            return await RunAloneAsync(settings, signals, stop);
        }

        var address = ListenAddress.Choose(settings.Application, _logger);
        if (address.Value is null)
        {
            Log.AddressTaken(_logger, address.Problem!);
            return ExitCode.Failure;
        }

        // The command gets the addresses in its environment, so that any number of sidecars can run side by side.
        settings = settings with
        {
            Application = settings.Application with { Address = address.Value },
            Otlp = settings.Otlp.WithDefaultsAt(OtlpAddress.AnyPort),
        };
        return await RunWithAsync(command, settings, signals, stop);
    }

    private async Task<int> RunWithAsync(IReadOnlyList<string> command, SidecarSettings settings, StopSignals signals, CancellationToken stop)
    {
        using var serveStop = new CancellationTokenSource();
        var asked = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopped = StoppedAsync(signals, asked, stop);
        var listening = new TaskCompletionSource<OtlpEndpoints>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = serve(settings, logs, listening.SetResult, () => asked.TrySetResult(Posix.SignalTerminate), serveStop.Token);
        if (await Task.WhenAny(listening.Task, running) == running)
        {
            return await running;
        }

        var words = new ApplicationCommand(command, settings.Application.Address.ListenAddress, executable)
        {
            Otlp = await listening.Task,
            OtlpToken = settings.Otlp.Token,
            HasPrefix = hasColor && settings.Logging.Format == LogFormat.Text,
        };
        await using var application = ApplicationProcess.Start(words, settings.Process.StopTimeout, logs.CreateLogger<ApplicationProcess>());

        var first = await Task.WhenAny(application.Exited, stopped, running);
        if (first == running)
        {
            await application.StopAsync(Posix.SignalTerminate, signals.First);
            return await running;
        }

        var start = Stopwatch.GetTimestamp();
        var exit = first == stopped ? await application.StopAsync(await stopped, signals.Second) : await application.Exited;

        // Runs have had that time already, and hardly any outlives the application.
        await EndServingAsync(running, settings.Process.DrainTimeout - Stopwatch.GetElapsedTime(start), serveStop, signals);
        return first == stopped && IsGoodEnd(exit, await stopped, signals) ? ExitCode.Success : exit.Code;
    }

    /// <summary>
    /// Whether a command that did not exit by itself ended as it should: killed after SIGTERM, as container runtimes ask for an end. A pod or a
    /// job whose sidecar said 143 or 137 to that would count as failed. A terminal's SIGINT and SIGHUP are passed on, since shells look for them.
    /// </summary>
    private static bool IsGoodEnd(ChildExit exit, int signal, StopSignals signals) =>
        signal == Posix.SignalTerminate
        && !signals.Second.IsCompleted
        && exit.Code is ExitCode.Signal + Posix.SignalTerminate or ExitCode.Signal + Posix.SignalKill;

    private async Task<int> RunAloneAsync(SidecarSettings settings, StopSignals signals, CancellationToken stop)
    {
        using var serveStop = new CancellationTokenSource();
        var asked = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopped = StoppedAsync(signals, asked, stop);
        var running = serve(settings, logs, _ => { }, () => asked.TrySetResult(Posix.SignalTerminate), serveStop.Token);
        if (await Task.WhenAny(running, stopped) == running)
        {
            return await running;
        }

        return await EndServingAsync(running, settings.Process.DrainTimeout, serveStop, signals);
    }

    /// <summary>Gives the signal that the sidecar is stopped with, or as if with.</summary>
    private static async Task<int> StoppedAsync(StopSignals signals, TaskCompletionSource<int> asked, CancellationToken stop)
    {
        await using var registration = stop.Register(() => asked.TrySetResult(Posix.SignalTerminate));
        return await await Task.WhenAny(signals.First, asked.Task);
    }

    private async Task<int> EndServingAsync(Task<int> running, TimeSpan drain, CancellationTokenSource serveStop, StopSignals signals)
    {
        await serveStop.CancelAsync();
        var late = Task.Delay((drain > TimeSpan.Zero ? drain : TimeSpan.Zero) + s_serveStopTimeout, TimeProvider.System, CancellationToken.None);
        var first = await Task.WhenAny(running, late, signals.Second);
        if (first != running)
        {
            Log.CoreAbandoned(_logger);
            return first == late ? ExitCode.Success : ExitCode.Signal + await signals.Second;
        }

        try
        {
            return await running;
        }
        catch (OperationCanceledException) when (serveStop.IsCancellationRequested)
        {
            return ExitCode.Success;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Problem}; the command is not started", EventName = "ApplicationAddressInUse")]
        public static partial void AddressTaken(ILogger logger, string problem);

        [LoggerMessage(LogLevel.Warning, "Connections did not close in time and are dropped", EventName = "ConnectionsAborted")]
        public static partial void CoreAbandoned(ILogger logger);
    }
}

/// <summary>
/// What <c>run</c> does between its start and <paramref name="stop"/>: serve the endpoints. Gives the exit code, should it end by
/// itself.
/// </summary>
/// <param name="settings">How.</param>
/// <param name="logs">Where it says what it does.</param>
/// <param name="listening">Called once with the OTLP addresses, as soon as the host listens; not called if it cannot listen.</param>
/// <param name="quit">Is called when a caller of an endpoint stops the sidecar.</param>
/// <param name="stop">Ends it.</param>
internal delegate Task<int> ServeDelegate(
    SidecarSettings settings, ILoggerFactory logs, Action<OtlpEndpoints> listening, Action quit, CancellationToken stop);
