using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Xml.Linq;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>What people and CI systems see of a run.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("genkit-conformance");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("nothing to test")]
    [InlineData("no case matches", "--app", "http://127.0.0.1:1", "--only", "flying/*")]
    [InlineData("no case matches flying/*", "--app", "http://127.0.0.1:1", "--only", "plain/greet", "--only", "flying/*")]
    [InlineData("--app-ca /dev/null: it has no certificate", "--app", "https://127.0.0.1:1", "--app-ca", "/dev/null")]
    [InlineData("--app: ", "--app", "ftp://127.0.0.1")]
    [InlineData("--junit /no/such/folder/x.xml: ", "--app", "http://127.0.0.1:1", "--junit", "/no/such/folder/x.xml")]
    public async Task Program_WithAWrongCommandLine_SaysWhatIsWrong(string message, params string[] arguments)
    {
        var (exitCode, _, error) = await ConformanceProcess.RunAsync(arguments);

        Assert.Equal(64, exitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithAnAddressWhereNobodyIs_SaysSo()
    {
        var (exitCode, output, error) = await ConformanceProcess.RunAsync("--app", "http://127.0.0.1:1", "--only", "plain/greet");

        Assert.Equal(2, exitCode);
        Assert.Contains("1 case: 1 not run", output, StringComparison.Ordinal);
        Assert.Contains("no application answers at http://127.0.0.1:1: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cannot be executed", "/no/such/sidecar")]
    [InlineData("/bin/false ended with 1 before it registered", "/bin/false")]
    public async Task Program_WithASidecarThatIsNone_SaysSo(string message, string sidecar)
    {
        var (exitCode, _, error) = await ConformanceProcess.RunAsync("--sidecar", sidecar, "--only", "plain/greet");

        Assert.Equal(2, exitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithCasesOfAnotherWay_SaysWhyThereAreNone()
    {
        var (exitCode, _, error) = await ConformanceProcess.RunAsync(["--only", "wrong-application/heartbeats", .. ConformanceProcess.OwnApplication()]);

        Assert.Equal(64, exitCode);
        Assert.Contains("wrong-application/heartbeats: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithARightApplication_ExitsWithZero()
    {
        var (exitCode, output, _) = await ConformanceProcess.RunAsync(["--only", "plain/greet", "--only", "values/*", .. ConformanceProcess.OwnApplication()]);

        Assert.Equal(0, exitCode);
        Assert.Contains("8 cases: 7 passed, 1 skipped", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithAWrongApplication_TellsCaseStepClauseAndReason()
    {
        var (exitCode, output, _) = await ConformanceProcess.RunAsync(["--only", "errors/message", .. ConformanceProcess.OwnApplication("message-is-lost")]);

        Assert.Equal(1, exitCode);
        Assert.Contains("FAILED errors/message: the error has message that at $: \"\" instead of \"the printer is on fire\"", output, StringComparison.Ordinal);
        Assert.Contains("clause: ActionError.message", output, StringComparison.Ordinal);
        Assert.Contains("1 case: 1 failed", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithAReportThatCannotBeWritten_SaysWhich()
    {
        var (exitCode, _, error) = await ConformanceProcess.RunAsync(["--only", "plain/greet", "--json", "/dev/full", .. ConformanceProcess.OwnApplication()]);

        Assert.Equal(64, exitCode);
        Assert.Contains("--json /dev/full: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_AskedToServeWhereSomebodyElseDoes_SaysSo()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var (exitCode, _, error) = await ConformanceProcess.RunAsync("serve", "--listen", taken.LocalEndpoint.ToString()!);

        Assert.Equal(2, exitCode);
        Assert.StartsWith($"error: --listen {taken.LocalEndpoint}: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithAKnownFailure_ExitsWithZero()
    {
        var known = await WriteAsync("# those of this year\nerrors/message: our printer has no words\n");

        var (exitCode, output, _) = await ConformanceProcess.RunAsync(["--only", "errors/message", "--known-failing", known, .. ConformanceProcess.OwnApplication("message-is-lost")]);

        Assert.Equal(0, exitCode);
        Assert.Contains("1 failed as known", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_WithAKnownFailureThatPasses_Fails()
    {
        var known = await WriteAsync("errors/message: our printer has no words\n");

        var (exitCode, output, _) = await ConformanceProcess.RunAsync(["--only", "errors/message", "--known-failing", known, .. ConformanceProcess.OwnApplication()]);

        Assert.Equal(1, exitCode);
        Assert.Contains("errors/message: it passes: take it off the list", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("errors/message", "line 1 is not ID: REASON")]
    [InlineData("errors/message:", "line 1 is not ID: REASON")]
    [InlineData("\nerrors/massage: because", "line 2: there is no case errors/massage")]
    [InlineData("errors/*: because", "line 1: there is no case errors/*")]
    [InlineData("errors/message: a\nerrors/message: b\nc", "line 2: errors/message was there before; line 3 is not ID: REASON")]
    public async Task Program_WithAWrongListOfKnownFailures_NamesTheLine(string text, string message)
    {
        var known = await WriteAsync(text);

        var (exitCode, _, error) = await ConformanceProcess.RunAsync("--app", "http://127.0.0.1:1", "--known-failing", known);

        Assert.Equal(64, exitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_AskedForReports_WritesJUnitAndJson()
    {
        var (junit, json) = (Path.Combine(_folder.FullName, "report.xml"), Path.Combine(_folder.FullName, "report.json"));

        await ConformanceProcess.RunAsync(
            ["--only", "errors/message*", "--only", "values/not-offered", "--junit", junit, "--json", json, .. ConformanceProcess.OwnApplication("message-is-cut")]);

        var suites = XDocument.Load(junit).Root!.Elements("testsuite").ToList();
        Assert.Equal(["errors", "values"], suites.Select(suite => suite.Attribute("name")!.Value));
        Assert.Equal("1", suites[0].Attribute("failures")!.Value);
        Assert.Equal("1", suites[1].Attribute("skipped")!.Value);
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken));
        Assert.False(report.RootElement.GetProperty("passed").GetBoolean());
        var failed = Assert.Single(report.RootElement.GetProperty("cases").EnumerateArray(), one => one.GetProperty("verdict").GetString() == "failed");
        Assert.Equal("errors/message-of-two-kilobytes", failed.GetProperty("id").GetString());
        Assert.NotEmpty(failed.GetProperty("reason").GetString()!);
    }

    [Fact]
    public async Task Program_AskedForTheCases_ListsThem()
    {
        var (exitCode, output, _) = await ConformanceProcess.RunAsync("list", "--only", "bidi/t*");

        Assert.Equal(0, exitCode);
        Assert.Equal(["bidi/turns", "bidi/two-at-once"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private async Task<string> WriteAsync(string text)
    {
        var path = Path.Combine(_folder.FullName, "known-failing");
        await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        return path;
    }
}
