using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>A process that the kit starts and ends.</summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

    private static readonly TimeSpan s_stopping = TimeSpan.FromSeconds(5);

    // Time to wait for the remaining output of a process that has ended. A descendant may keep the pipe open.
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly Task _reading;

    private ChildProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public OutputTail Output { get; } = new();

    /// <exception cref="StartFailure">It cannot be executed.</exception>
    public static ChildProcess Start(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return new ChildProcess(process);
        }
        catch (Win32Exception e)
        {
            throw new StartFailure($"{command[0]} cannot be executed: {e.Message}");
        }
    }

    /// <summary>The exit code, with all that it has printed in <see cref="Output"/>; null while it runs.</summary>
    public async Task<int?> EndAsync()
    {
        if (!_process.HasExited)
        {
            return null;
        }

        await Task.WhenAny(_reading, Task.Delay(s_lastWords, TimeProvider.System));
        return _process.ExitCode;
    }

    public Task ExitedAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    /// <summary>Waits for its end, but no longer than this.</summary>
    public async Task ExitedAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limit);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It does not end.
        }
    }

    /// <summary>Asks it to end, and ends it, and what it has started in turn, where it does not.</summary>
    public async ValueTask DisposeAsync()
    {
        // Collect the descendants before the process ends, because they lose their parent then.
        var descendants = ProcessTree.Descendants(_process);
        if (!_process.HasExited && !OperatingSystem.IsWindows())
        {
            _ = Kill(_process.Id, SigTerm);
            await ExitedAsync(s_stopping, CancellationToken.None);
        }

        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        foreach (var descendant in descendants)
        {
            _ = Kill(descendant, SigKill);
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Kill(int pid, int signal);

    private async Task ReadAsync(StreamReader output)
    {
        var buffer = new char[4096];
        try
        {
            while (await output.ReadAsync(buffer) is var count and > 0)
            {
                Output.Add(buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The pipe has no reader any more.
        }
    }
}
