using System.Diagnostics;
using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Applications that do not start, hang, end, or must be ended.</summary>
public sealed class LostApplicationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("genkit-conformance");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("cannot be executed", "/no/such/application")]
    [InlineData("ended with 3 before it served http://127.0.0.1:", "sh", "-c", "echo out of paper >&2; exit 3")]
    [InlineData("out of paper", "sh", "-c", "echo out of paper >&2; exit 3")]
    public async Task Program_WithACommandThatServesNothing_SaysWhatItPrinted(string message, params string[] command)
    {
        var (exitCode, _, error) = await ConformanceProcess.RunAsync(["--", .. command]);

        Assert.Equal(2, exitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithAnApplicationThatHangs_FailsTheCase()
    {
        var (exitCode, output, _) = await ConformanceProcess.RunAsync(["--only", "plain/greet", "--timeout", "1s", .. ConformanceProcess.OwnApplication("call-stays-open")]);

        Assert.Equal(1, exitCode);
        Assert.Contains("it hangs: what was expected did not come within 1 s", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithAnApplicationThatEnds_FailsTheCaseAndGoesOn()
    {
        var (exitCode, output, _) = await ConformanceProcess.RunAsync(
            ["--only", "errors/exception", "--only", "plain/greet", .. ConformanceProcess.OwnApplication("exceptions-end-it")]);

        Assert.Equal(1, exitCode);
        Assert.Contains("FAILED errors/exception: ", output, StringComparison.Ordinal);
        Assert.Contains("the application ended with 70", output, StringComparison.Ordinal);
        Assert.Contains("2 cases: 1 passed, 1 failed", output, StringComparison.Ordinal);
    }

    /// <summary>That has ended, or has hung up.</summary>
    [Theory]
    [InlineData("exec")]
    [InlineData("trap 'sleep 100' EXIT;")]
    public async Task Program_WithAnApplicationThatStartsOnce_FailsItsCaseAndReportsTheRestAsNotRun(string how)
    {
        var (json, flag) = (Path.Combine(_folder.FullName, "report.json"), Path.Combine(_folder.FullName, "flag"));
        var command = $"if [ -e {flag} ]; then echo once is enough >&2; exit 9; fi; touch {flag}; {how} {ConformanceProcess.Path} serve --break exceptions-end-it";

        var (exitCode, output, error) = await ConformanceProcess.RunAsync(
            ["--only", "absent/input", "--only", "errors/exception", "--only", "plain/*", "--json", json, "--", "sh", "-c", command]);

        Assert.Equal(1, exitCode);
        Assert.Contains("FAILED errors/exception: ", output, StringComparison.Ordinal);
        Assert.Contains("once is enough", error, StringComparison.Ordinal);
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken));
        var verdicts = report.RootElement.GetProperty("cases").EnumerateArray().Select(one => one.GetProperty("verdict").GetString()).ToList();
        Assert.Equal(["passed", "failed", "not-run"], verdicts.Distinct());
        Assert.InRange(verdicts.Count, 10, int.MaxValue);
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("cat /dev/zero")]
    public async Task Program_WithAnApplicationThatPrintsWithoutEnd_TestsIt(string command)
    {
        var (exitCode, _, _) = await ConformanceProcess.RunAsync("--only", "plain/greet", "--", "sh", "-c", $"{command} & exec {ConformanceProcess.Path} serve");

        Assert.Equal(0, exitCode);
    }

    [Fact]
    public async Task Program_Interrupted_ReportsWhatHasRunAndLeavesNoProcessBehind()
    {
        var (json, pipe) = (Path.Combine(_folder.FullName, "report.json"), Path.Combine(_folder.FullName, "pipe"));
        using (var make = Process.Start("mkfifo", [pipe]))
        {
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        // The shell ends when it is asked to, and its application does not hear of it.
        var command = $"{ConformanceProcess.Path} serve --break chunks-come-at-the-end 9>{pipe} & wait; true";
        using var kit = new ConformanceProcess(["--only", "plain/greet", "--only", "streaming/as-they-come", "--json", json, "--", "sh", "-c", command]);
        using var application = File.OpenText(pipe);

        // That is when the next suite begins, whose case hangs.
        while (await kit.ReadLineAsync() is { } line && !line.Contains("1 passed", StringComparison.Ordinal))
        {
        }

        await kit.TerminateAsync();

        Assert.Equal(130, await kit.ExitAsync());
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken));
        Assert.Equal(["passed", "not-run"], report.RootElement.GetProperty("cases").EnumerateArray().Select(one => one.GetProperty("verdict").GetString()));
        Assert.Equal("interrupted", report.RootElement.GetProperty("cases")[1].GetProperty("reason").GetString());

        // Which ends with the last process that could write.
        Assert.Empty(await application.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken));
    }
}
