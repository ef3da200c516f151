using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Tests.Supervision;

/// <summary>The built sidecar as a separate process.</summary>
internal sealed class SidecarProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _error;

    private SidecarProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    public static SidecarExecutable Executable { get; } = new(Path.Combine(AppContext.BaseDirectory, "genkit-sidecar"), []);

    public static SidecarExecutable ExecutableByDotnet { get; } = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "genkit-sidecar.dll")]);

    public int Id => _process.Id;

    public Stream StandardInput => _process.StandardInput.BaseStream;

    public static SidecarProcess Run(string script, string flags = "", string shell = "sh") => Start(Executable, flags, shell, "-c", script);

    public static SidecarProcess Start(SidecarExecutable executable, string flags, params string[] command) => Start(executable, flags, [], command);

    public static SidecarProcess Start(SidecarExecutable executable, string flags, IEnumerable<KeyValuePair<string, string>> variables, params string[] command)
    {
        var start = new ProcessStartInfo(executable.FileName)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GENKIT_REFLECTION_V2_SERVER"] = "ws://localhost:1";
        start.Environment["GENKIT_TELEMETRY_SERVER"] = "http://localhost:2";
        start.Environment["GENKIT_RUNTIME_ID"] = "fixed";
        start.Environment["GENKIT_SIDECAR_METRICS_TOKEN"] = "secret";
        start.Environment["GENKIT_SIDECAR_OTLP_TOKEN"] = "top,secret";
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        foreach (var word in (string[])[.. executable.Arguments, "run", "--health", "off", "--log-format", "json", .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--", .. command])
        {
            start.ArgumentList.Add(word);
        }

        return new(Process.Start(start)!);
    }

    /// <summary>Waits for a line of the command that starts with this text, and returns the rest of the line.</summary>
    public async Task<string> LineAsync(string start)
    {
        while (await _process.StandardOutput.ReadLineAsync(Token).AsTask().WaitAsync(Timeouts.Default, Token) is { } line)
        {
            _output.Append(line).Append('\n');
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return line[start.Length..];
            }
        }

        throw new InvalidOperationException($"The output ended without a line that starts with \"{start}\":\n{_output}\n{await ErrorAsync()}");
    }

    /// <summary>Waits until every process that can write has ended, and returns all output.</summary>
    public async Task<string> OutputAsync() =>
        _output.Append(await _process.StandardOutput.ReadToEndAsync(Token).WaitAsync(Timeouts.Default, Token)).ToString();

    public async Task<byte[]> OutputBytesAsync()
    {
        using var bytes = new MemoryStream();
        await _process.StandardOutput.BaseStream.CopyToAsync(bytes, Token).WaitAsync(Timeouts.Default, Token);
        return bytes.ToArray();
    }

    public Task<string> ErrorAsync() => _error.WaitAsync(Timeouts.Default, Token);

    /// <summary>Waits for the end of the log, asserts that it has one event of this name, and returns the values of its placeholders.</summary>
    public async Task<JsonElement> EventAsync(string name) =>
        Assert.Single((await ErrorAsync()).Split('\n').Select(line => ValuesOf(line, name)).OfType<JsonElement>());

    /// <summary>Reads a line of the JSON log. Returns null for another event, and for a line that the command wrote.</summary>
    public static JsonElement? ValuesOf(string line, string eventName)
    {
        if (!line.StartsWith("{\"Timestamp\":", StringComparison.Ordinal))
        {
            return null;
        }

        var values = JsonSerializer.Deserialize<JsonElement>(line).GetProperty("State");
        return values.GetProperty("EventName").GetString() == eventName ? values : null;
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(Token).WaitAsync(Timeouts.Default, Token);
        return _process.ExitCode;
    }

    public void Signal(int signal) => Assert.Equal(0, Posix.Kill(Id, signal));

    /// <summary>Sends the signal until the process has ended, because a second signal that arrives together with the first does not count.</summary>
    public async Task InsistAsync(int signal)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Token);
        timeout.CancelAfter(Timeouts.Default);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!_process.HasExited)
        {
            _ = Posix.Kill(Id, signal);
            await pulse.WaitForNextTickAsync(timeout.Token);
        }
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
