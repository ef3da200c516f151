using Genkit.Sidecar.Cli;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Supervision;

namespace Genkit.Sidecar.Tests.Cli;

public sealed class SidecarCommandTests
{
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("help")]
    [InlineData("--manager nonsense -h")]
    public async Task Run_Help_IsOneScreenOfVerbsAndExamplesOnStdout(string words)
    {
        Assert.Equal(ExitCode.Success, await RunAsync(words));

        AssertIsOverview(_out.ToString());
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task Run_NoVerb_PrintsTheOverviewOnStderr()
    {
        Assert.Equal(ExitCode.Usage, await RunAsync(""));

        AssertIsOverview(_error.ToString());
        Assert.Empty(_out.ToString());
    }

    [Theory]
    [InlineData("help run")]
    [InlineData("run --help")]
    [InlineData("run --manager nonsense -h")]
    public async Task Run_HelpOnRun_GroupsItsFlagsTheMostUsedFirst(string words)
    {
        Assert.Equal(ExitCode.Success, await RunAsync(words));

        var help = _out.ToString();
        Assert.StartsWith("Usage: genkit-sidecar run [-- COMMAND…]\n", help, StringComparison.Ordinal);
        var lines = help.Split('\n');
        var flags = lines.Where(line => line.StartsWith("  --", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]);
        Assert.Equal(SettingTable.All.Select(setting => setting.Flag), flags);
        Assert.Equal(SettingTable.Groups.Select(group => $"{group.Heading}:"), lines.Where(line => line.EndsWith(':')).SkipLast(1));
        Assert.Equal("Exit codes:", lines.Last(line => line.EndsWith(':')));
        Assert.Equal(["--app", "--manager"], SettingTable.Groups.Take(2).Select(group => group.Settings[0].Flag));
        Assert.All(SettingTable.All, setting => Assert.Contains(setting.Summary, Unwrapped(help), StringComparison.Ordinal));
        AssertFitsATerminal(help);
    }

    [Fact]
    public async Task Run_HelpOnSettings_HasAllThatIsDeclared()
    {
        Assert.Equal(ExitCode.Success, await RunAsync("help settings"));

        var help = _out.ToString();
        Assert.All(SettingTable.All, setting =>
        {
            Assert.Contains($"  {setting.Flag} {setting.Placeholder}\n", help, StringComparison.Ordinal);
            Assert.Contains(
                $" {setting.Flag} {setting.Placeholder} {setting.Description} variable: {setting.EnvironmentVariable} accepted: {setting.Accepts} default: {setting.DefaultText} ({setting.Reason}) ",
                Unwrapped(help),
                StringComparison.Ordinal);
        });
        Assert.All(EnabledEndpoints.Table, row => Assert.Contains($"{row.Endpoint} dev: {row.InDevelopment} otherwise: {row.Elsewhere} ", Unwrapped(help), StringComparison.Ordinal));
        AssertFitsATerminal(help);
    }

    [Theory]
    [InlineData("actions", "actions")]
    [InlineData("call", "call [--stream] KEY [JSON]")]
    [InlineData("health", "health [live|ready|startup]")]
    [InlineData("doctor", "doctor [--json] [--run KEY [JSON]] [-- COMMAND…]")]
    [InlineData("version", "version")]
    [InlineData("help", "help [VERB|settings]")]
    public async Task Run_HelpOnAnyOtherVerb_HasItsUsage(string verb, string usage)
    {
        Assert.Equal(ExitCode.Success, await RunAsync($"help {verb}"));

        Assert.StartsWith($"Usage: genkit-sidecar {usage}\n", _out.ToString(), StringComparison.Ordinal);
        AssertFitsATerminal(_out.ToString());
    }

    [Fact]
    public async Task Run_HelpOnWhatIsNoTopic_NamesTheNearest()
    {
        Assert.Equal(ExitCode.Usage, await RunAsync("help setings"));

        Assert.Contains("\"setings\" is not a topic of help, did you mean settings?; accepted: run, actions, ", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ broken", "is not JSON")]
    [InlineData("[]", "holds no JSON object")]
    [InlineData(null, "does not exist")]
    public async Task Run_ConfigThatCannotBeRead_IsOneError(string? content, string problem)
    {
        using var directory = new TemporaryDirectory();
        var file = content is null ? directory.File("none") + "-at-all" : directory.File("sidecar.json", content);

        Assert.Equal(ExitCode.Usage, await RunAsync($"run --config {file}"));

        var lines = _error.ToString().TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("  flag --config: ", lines[1], StringComparison.Ordinal);
        Assert.Contains(problem, lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("xterm-256color", null, true)]
    [InlineData("xterm-256color", "", true)]
    [InlineData("xterm-256color", "1", false)]
    [InlineData("dumb", null, false)]
    [InlineData("", null, false)]
    [InlineData(null, null, false)]
    public void TakesColor_AnyEnvironment_HeedsTermAndNoColor(string? term, string? noColor, bool takesColor)
    {
        var environment = new Dictionary<string, string?> { ["TERM"] = term, ["NO_COLOR"] = noColor }
            .Where(row => row.Value is not null).ToDictionary(row => row.Key, row => row.Value!);

        Assert.Equal(takesColor, Terminal.TakesColor(environment));
    }

    [Theory]
    [InlineData("version")]
    [InlineData("--version")]
    public async Task Run_Version_IsOneLineWithoutTheCommit(string words)
    {
        Assert.Equal(ExitCode.Success, await RunAsync(words));

        Assert.Matches(@"^genkit-sidecar \d+\.\d+\.\d+\n$", _out.ToString());
    }

    [Fact]
    public async Task Run_MistakesOfBothKinds_AreReportedTogether()
    {
        Assert.Equal(ExitCode.Usage, await RunAsync("run --run-grcae 1s --log-level loud"));

        var problems = _error.ToString().Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal));
        Assert.Collection(
            problems,
            problem => Assert.Matches("\"--run-grcae\".* --run-grace", problem),
            problem => Assert.Matches("flag --log-level: \"loud\".* trace, debug, information, warning, error, critical or none", problem),
            problem => Assert.Matches("flag --manager: .*GENKIT_REFLECTION_V2_SERVER.*--env-file.*--reflection-v1.*--flow-server.*GENKIT_ENV", problem));
        Assert.Contains("genkit-sidecar --help", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("actions")]
    [InlineData("call /flow/x {}")]
    public async Task Run_VerbThatTalksToTheApplicationOnly_NeedsNoManager(string words)
    {
        await RunAsync(words);

        Assert.DoesNotContain("--manager", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("health redy", "\"redy\" is not a probe, did you mean ready?; accepted: live, ready, startup")]
    [InlineData("health ready live", "\"live\": is one argument too many")]
    [InlineData("health --health nowhere", "flag --health: \"nowhere\" has no port; accepted: host:port")]
    [InlineData("health --health example.com:1", "flag --health: \"example.com:1\" has a host that is no address")]
    public async Task Run_HealthWithBadWords_SaysWhatIsAccepted(string words, string problem)
    {
        Assert.Equal(ExitCode.Usage, await RunAsync(words));

        Assert.Contains(problem, _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("--manager", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("health --health off", "flag --health: is off, so that there is nothing to ask\n")]
    [InlineData("health --health 127.0.0.1:0", "flag --health: 127.0.0.1:0 is a port of the system's choice, which only the sidecar's log tells\n")]
    [InlineData("health live --health unix:/nowhere/health.sock", "nothing listens at unix:/nowhere/health.sock (--health): is the sidecar running?\n")]
    public async Task Run_HealthWithNothingToAsk_FailsAndReportsIt(string words, string line)
    {
        Assert.Equal(ExitCode.Failure, await RunAsync(words));

        Assert.Equal(line, _out.ToString());
    }

    [Fact]
    public async Task Run_BadMetricsToken_IsNotRepeated()
    {
        Assert.Equal(ExitCode.Usage, await RunAsync("health --metrics-token s\u00e9cret"));

        Assert.Contains("flag --metrics-token: has a character", _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("cret", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("help")]
    [InlineData("version")]
    [InlineData("health --health off")]
    [InlineData("doctor --manager nonsense --app nonsense")]
    [InlineData("doctor --json --manager nonsense --app nonsense")]
    public async Task Run_OutputIsClosed_FailsAndReportsIt(string words)
    {
        Assert.Equal(ExitCode.Failure, await RunAsync(words, new ClosedWriter(), _error));

        Assert.Equal("genkit-sidecar: the output cannot be written: Bad file descriptor\n", _error.ToString());
    }

    [Fact]
    public async Task Run_OutputAndErrorAreClosed_Fails() =>
        Assert.Equal(ExitCode.Failure, await RunAsync("version", new ClosedWriter(), new ClosedWriter()));

    private static void AssertIsOverview(string help)
    {
        var lines = help.TrimEnd('\n').Split('\n');
        Assert.InRange(lines.Length, 1, 23);
        AssertFitsATerminal(help);
        Assert.All(VerbTable.All, verb => Assert.Single(lines, line => line.StartsWith($"  {verb.Name} ", StringComparison.Ordinal)));
        Assert.Equal(3, lines.SkipWhile(line => line != "Examples:").Skip(1).TakeWhile(line => line.Length > 0).Count());
        Assert.Contains("genkit-sidecar help settings", help, StringComparison.Ordinal);
    }

    private static void AssertFitsATerminal(string help) => Assert.DoesNotContain(help.Split('\n'), line => line.Length > 80);

    private static string Unwrapped(string help) => string.Join(' ', help.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) + ' ';

    private Task<int> RunAsync(string words) => RunAsync(words, _out, _error);

    private static Task<int> RunAsync(string words, TextWriter output, TextWriter error) => new SidecarCommand(
        new(TextReader.Null, output, error),
        new Dictionary<string, string>(),
        (_, _, _, _, _) => Task.FromResult(ExitCode.Failure)).RunAsync(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Fails as .NET's console does when the file descriptor is closed.</summary>
    private sealed class ClosedWriter : StringWriter
    {
        private static readonly UnauthorizedAccessException s_failure = new("Access to the path is denied.", new IOException("Bad file descriptor"));

        public override void Write(string? value) => throw s_failure;

        public override Task WriteAsync(string? value) => throw s_failure;

        public override Task WriteLineAsync(string? value) => throw s_failure;
    }
}
