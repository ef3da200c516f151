using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Supervision;

/// <summary>
/// The application as a child process in a process group of its own, with our standard streams. Ends with the sidecar, even when
/// that is killed: on Linux the kernel then kills the command itself. Out of its reach are programs that run as another user
/// (setuid) and what the command started in turn, such as the node behind <c>npm start</c>: name the program itself where that matters.
/// </summary>
internal sealed partial class ApplicationProcess : IAsyncDisposable
{
    // For the launcher, a .NET process of a few milliseconds: no socket for debuggers, which exec would leave behind in /tmp, and
    // no second thread for the collector, which takes a third of its time.
    private static readonly KeyValuePair<string, string>[] s_launcherVariables = [new("DOTNET_EnableDiagnostics", "0"), new("DOTNET_gcConcurrent", "0")];

    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(10);

    private readonly Process _process = new();
    private readonly TaskCompletionSource<ChildExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeSpan _stopTimeout;
    private readonly ILogger _logger;
    private long? _stoppingSince;
    private ApplicationTerminal? _terminal;

    private ApplicationProcess(TimeSpan stopTimeout, ILogger logger)
    {
        _stopTimeout = stopTimeout;
        _logger = logger;
    }

    /// <summary>Also the id of its group. Zero when the command could not be started.</summary>
    public int Id { get; private set; }

    public Task<ChildExit> Exited => _exited.Task;

    /// <summary>A command that cannot be started exits with 127 or 126, as under a shell, after a line that names it.</summary>
    public static ApplicationProcess Start(ApplicationCommand command, TimeSpan stopTimeout, ILogger logger)
    {
        var application = new ApplicationProcess(stopTimeout, logger);
        var started = new ManualResetEventSlim();

        // The kernel takes the end of the thread that forked for the end of the parent, so this one stays as long as the child.
        var thread = new Thread(() => application.Live(command, started)) { IsBackground = true, Name = "application" };
        thread.Start();
        started.Wait();
        return application;
    }

    /// <summary>To the whole group. A stopped process is woken, for it would not notice otherwise.</summary>
    public async Task SignalAsync(int signal)
    {
        // On Windows the console has told the child already. Without a child, group 0 would be our own.
        if (OperatingSystem.IsWindows() || Id == 0)
        {
            return;
        }

        // Only the first milliseconds have no group yet: nothing may be sent before the launcher is ready for it.
        while (!Exited.IsCompleted && Posix.Kill(-Id, signal) != 0 && Marshal.GetLastPInvokeError() == Posix.NoSuchProcess)
        {
            await Task.Delay(s_pollInterval, TimeProvider.System);
        }

        _ = Posix.Kill(-Id, Posix.SignalContinue);
    }

    /// <summary>Asks with <paramref name="signal"/>, and kills when the stop timeout is over or <paramref name="hurry"/> has ended.</summary>
    public async Task<ChildExit> StopAsync(int signal, Task hurry)
    {
        _stoppingSince ??= TimeProvider.System.GetTimestamp();
        var signalled = SignalAsync(signal);
        using var over = new CancellationTokenSource();
        var timeout = Task.Delay(_stopTimeout, TimeProvider.System, over.Token);
        var first = await Task.WhenAny(Exited, timeout, hurry);
        if (first != Exited)
        {
            if (first == timeout)
            {
                Log.Killed(_logger, Id, _stopTimeout.TotalSeconds);
            }

            Kill();
        }

        var exit = await Exited;
        await signalled;
        await over.CancelAsync();
        return exit;
    }

    public void Kill()
    {
        if (Exited.IsCompleted)
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            _process.Kill(entireProcessTree: true);
        }
        else if (Posix.Kill(-Id, Posix.SignalKill) != 0)
        {
            _ = Posix.Kill(Id, Posix.SignalKill);
        }
    }

    /// <summary>Ends what is still there, the command itself or what it left behind in its group.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
        {
            await StopAsync(Posix.SignalTerminate, new TaskCompletionSource().Task);
        }

        if (Id != 0 && !OperatingSystem.IsWindows())
        {
            // One timeout for all: what the command took of it, the others do not have.
            var spent = _stoppingSince is { } since ? TimeProvider.System.GetElapsedTime(since) : TimeSpan.Zero;
            await new ProcessGroup(Id).EndAsync(_stopTimeout - spent);
        }

        if (!OperatingSystem.IsWindows())
        {
            _terminal?.Dispose();
        }

        _process.Dispose();
    }

    private void Live(ApplicationCommand command, ManualResetEventSlim started)
    {
        try
        {
            Configure(_process.StartInfo, command);
            _process.Start();
        }
        catch (Win32Exception e)
        {
            Log.NotStarted(_logger, command.Words[0], e.Message);
            _exited.SetResult(new(e.NativeErrorCode == Posix.NoSuchFile ? ExitCode.CommandNotFound : ExitCode.CommandNotExecutable));
            started.Set();
            return;
        }

        Id = _process.Id;
        Log.Started(_logger, command.Words[0], Id, command.ListenAddress);
        if (!OperatingSystem.IsLinux())
        {
            Log.OutlivesKill(_logger, Id);
        }

        if (OperatingSystem.IsWindows())
        {
            Log.NotSignalled(_logger, _stopTimeout.TotalSeconds, Id);
        }

        started.Set();

        _process.WaitForExit();
        if (!OperatingSystem.IsWindows())
        {
            _terminal?.Drain();
        }

        Log.Exited(_logger, Id, _process.ExitCode);
        _exited.SetResult(new(_process.ExitCode));
    }

    private void Configure(ProcessStartInfo start, ApplicationCommand command)
    {
        start.UseShellExecute = false;
        ApplicationEnvironment.Apply(start.Environment, command.ListenAddress);
        if (OtlpEnvironment.Apply(start.Environment, command.Otlp, command.OtlpToken) is { Count: > 0 } own)
        {
            Log.SpansGoElsewhere(_logger, string.Join(" and ", own));
        }

        if (OperatingSystem.IsWindows())
        {
            start.FileName = command.Words[0];
            AddArguments(start, command.Words.Skip(1));
            return;
        }

        if (command.HasPrefix)
        {
            _terminal = ApplicationTerminal.TryOpen(StandardStreams.OpenTerminal());
        }

        // What was set already is meant for the command as well, and stays.
        var launcherOnly = s_launcherVariables.Where(variable => start.Environment.TryAdd(variable.Key, variable.Value)).Select(variable => variable.Key).ToArray();
        start.FileName = command.Sidecar.FileName;
        AddArguments(start, command.Sidecar.Arguments);
        AddArguments(start, Launcher.Arguments(Environment.ProcessId, _terminal?.Path, launcherOnly, command.Words));
    }

    private static void AddArguments(ProcessStartInfo start, IEnumerable<string> arguments)
    {
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
    }
}

/// <summary>How the application ended, as a shell would tell it: 128 and the signal's number for one that a signal killed.</summary>
internal readonly record struct ChildExit(int Code);
