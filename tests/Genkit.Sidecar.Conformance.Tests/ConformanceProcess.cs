using System.Diagnostics;
using System.Globalization;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>The program as people start it.</summary>
internal sealed class ConformanceProcess : IDisposable
{
    private readonly CancellationTokenSource _patience = new(Timeouts.Default);
    private readonly Process _process;

    public ConformanceProcess(IEnumerable<string> arguments) =>
        _process = Process.Start(new ProcessStartInfo(Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "genkit-conformance.exe" : "genkit-conformance");

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params IEnumerable<string> arguments)
    {
        using var program = new ConformanceProcess(arguments);
        var output = program._process.StandardOutput.ReadToEndAsync(program._patience.Token);
        var error = program._process.StandardError.ReadToEndAsync(program._patience.Token);
        return (await program.ExitAsync(), await output, await error);
    }

    /// <summary>The words that make it test its own application.</summary>
    /// <param name="rule">What that does wrong, null for nothing.</param>
    public static IEnumerable<string> OwnApplication(string? rule = null) => rule is null ? ["--", Path, "serve"] : ["--", Path, "serve", "--break", rule];

    /// <summary>The next line that it prints; null when it prints no more.</summary>
    public ValueTask<string?> ReadLineAsync() => _process.StandardOutput.ReadLineAsync(_patience.Token);

    /// <summary>Sends it SIGTERM.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(_patience.Token);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(_patience.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        _patience.Dispose();
    }
}
