using System.Diagnostics;
using System.Globalization;

namespace Genkit.Sidecar.Tests.Supervision;

/// <summary>The built sidecar on a pseudo terminal, which <c>script</c> opens for it.</summary>
public sealed class TerminalTests
{
    private const string Prefix = "\e[2mapp |\e[22m ";

    private static readonly (string Name, string Value) s_terminal = ("TERM", "xterm-256color");

    [Fact]
    public async Task Run_OnATerminal_ColorsLevelsAndPrefixesTheLinesOfTheCommand()
    {
        var (output, code) = await RunAsync("echo out; echo error >&2; test -t 1 && test -t 2 && echo both are terminals; exit 3", "", s_terminal);

        Assert.Equal(3, code);
        Assert.Contains($"{Prefix}out\r\n{Prefix}error\r\n{Prefix}both are terminals\r\n", output, StringComparison.Ordinal);
        Assert.Contains(" \e[32minfo\e[0m: ApplicationProcess: ", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "xterm-256color", "1")]
    [InlineData("", "dumb", "")]
    public async Task Run_TerminalWithoutColor_ShowsLinesAsTheyAre(string flags, string term, string noColor)
    {
        var (output, code) = await RunAsync("echo out; test -t 1 && echo it is a terminal", flags, ("TERM", term), ("NO_COLOR", noColor));

        Assert.Equal(0, code);
        Assert.Contains("\r\nout\r\nit is a terminal\r\n", output, StringComparison.Ordinal);
        Assert.Contains(" info: ApplicationProcess: ", output, StringComparison.Ordinal);
        AssertHasNoColor(output);
    }

    [Fact]
    public async Task Run_JsonLogOnATerminal_HasNoPrefix()
    {
        var (output, _) = await RunAsync("echo out", "--log-format json", s_terminal);

        Assert.Contains("\nout\r\n", output, StringComparison.Ordinal);
        AssertHasNoColor(output);
    }

    [Fact]
    public async Task Run_InPipes_HasNoColor()
    {
        using var sidecar = SidecarProcess.Start(SidecarProcess.Executable, "", [new(s_terminal.Name, s_terminal.Value)], "echo", "out");

        Assert.Equal("out\n", await sidecar.OutputAsync());
        AssertHasNoColor(await sidecar.ErrorAsync());
    }

    [Fact]
    public async Task Run_CommandEndsAfterManyLines_LosesNone()
    {
        var (output, _) = await RunAsync("seq 1 20000", "", s_terminal);

        var lines = output.Split("\r\n").Where(line => line.StartsWith(Prefix, StringComparison.Ordinal)).Select(line => line[Prefix.Length..]);
        Assert.Equal(Enumerable.Range(1, 20000).Select(number => number.ToString(CultureInfo.InvariantCulture)), lines);
    }

    [Fact]
    public async Task Run_CommandLeavesAProcessOnTheTerminal_EndsAllTheSame()
    {
        var (output, code) = await RunAsync("sleep 600 & echo out; exit 3", "", s_terminal);

        Assert.Equal(3, code);
        Assert.Contains($"{Prefix}out\r\n", output, StringComparison.Ordinal);
    }

    private static void AssertHasNoColor(string output) => Assert.DoesNotMatch("\e\\[[0-9;]*m", output);

    private static async Task<(string Output, int ExitCode)> RunAsync(string command, string flags, params (string Name, string Value)[] variables)
    {
        var run = $"'{SidecarProcess.Executable.FileName}' run --health off --otlp-grpc off --otlp-http off {flags} -- sh -c '{command}'";
        var start = new ProcessStartInfo("script", ["-qec", run, "/dev/null"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var script = Process.Start(start)!;
        try
        {
            var output = await script.StandardOutput.ReadToEndAsync(Token).WaitAsync(Timeouts.Default, Token);
            await script.WaitForExitAsync(Token).WaitAsync(Timeouts.Default, Token);

            // .NET sets the keypad's mode whenever a child process ends, in the middle of a line or not.
            return (output.Replace("\e[?1h\e=", "", StringComparison.Ordinal), script.ExitCode);
        }
        finally
        {
            script.Kill(entireProcessTree: true);
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
