using System.Diagnostics;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>The program as people start it.</summary>
internal static class ConformanceProcess
{
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "genkit-conformance.exe" : "genkit-conformance");

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Timeouts.Default);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var error = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>The words that make it test its own application.</summary>
    /// <param name="rule">What that does wrong, null for nothing.</param>
    public static IEnumerable<string> OwnApplication(string? rule = null) => rule is null ? ["--", Path, "serve"] : ["--", Path, "serve", "--break", rule];
}
