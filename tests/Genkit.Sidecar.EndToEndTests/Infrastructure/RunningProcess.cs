using System.Diagnostics;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>A process, and the lines that it has written. The workspace that started it terminates it.</summary>
internal sealed class RunningProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _command;
    private readonly Task _reading;

    private RunningProcess(Process process, string command)
    {
        (_process, _command) = (process, command);
        Id = process.Id;
        Output = new Journal<string>($"stdout of `{command}`");
        Errors = new Journal<string>($"stderr of `{command}`");
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, Output), ReadAsync(process.StandardError, Errors));
    }

    public int Id { get; }

    public Journal<string> Output { get; }

    public Journal<string> Errors { get; }

    public string Transcript => $"--- {_command}\n{Output}\n{Errors}";

    public static RunningProcess Start(ProcessStartInfo start)
    {
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        return new RunningProcess(process, $"{start.FileName} {string.Join(' ', start.ArgumentList)}");
    }

    /// <summary>Waits for an event that a sidecar logs to its stderr, which may have been logged already.</summary>
    public async Task<SidecarEvent> EventAsync(string name)
    {
        var line = await Errors.FirstAsync(line => SidecarEvent.Parse(line)?.Name == name, $"the event {name}");
        return SidecarEvent.Parse(line)!;
    }

    /// <summary>Sends the signal until the process has ended, because a second signal that arrives together with the first does not count.</summary>
    public async Task InsistAsync(Signal signal)
    {
        using var timeout = new CancellationTokenSource(Timeouts.Default);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!_process.HasExited)
        {
            signal.Send(Id);
            await pulse.WaitForNextTickAsync(timeout.Token);
        }
    }

    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Ends the input of the process.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Waits for the process to end by itself, and for its last line, and returns its exit code.</summary>
    /// <param name="within">How long it may take; <see cref="Timeouts.Default"/> if null.</param>
    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        var timeout = within ?? Timeouts.Default;
        try
        {
            await _process.WaitForExitAsync().WaitAsync(timeout);
            await _reading.WaitAsync(Timeouts.Default);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"`{_command}` did not end within {timeout}, or something else holds its output:\n{Transcript}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await _reading;
        _process.Dispose();
    }

    private static async Task ReadAsync(StreamReader reader, Journal<string> journal)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            journal.Append(line);
        }

        journal.Complete();
    }
}
