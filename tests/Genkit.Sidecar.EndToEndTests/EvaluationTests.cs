using System.Text.Json;
using Genkit.Sidecar.EndToEndTests.Documentation;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>The `genkit eval:flow` of docs/telemetry.md. The rows that it writes come from the traces, not from the answers.</summary>
public sealed class EvaluationTests : EndToEndTest
{
    private const string Page = "docs/telemetry.md";
    private const string Sample = """{"testCaseId": "even", "input": {"of": 4}}""";

    [Theory, DocumentedCommand(Page, "genkit eval:flow")]
    public async Task EvalFlow_SamplesThatSucceed_WritesInputOutputTraceAndScore(string command)
    {
        var rows = await EvaluateAsync(command, $$$"""{{{Sample}}}, {"testCaseId": "odd", "input": {"of": 3}}""");

        AssertScored(rows["even"], """{"of": 4}""", "16", "true");
        AssertScored(rows["odd"], """{"of": 3}""", "9", "false");
    }

    [Theory, DocumentedCommand(Page, "genkit eval:flow")]
    public async Task EvalFlow_SampleThatIsRefused_WritesInputErrorAndTrace(string command)
    {
        var rows = await EvaluateAsync(command, $$$"""{{{Sample}}}, {"testCaseId": "refused", "input": {"of": "two"}}""");

        AssertScored(rows["even"], """{"of": 4}""", "16", "true");
        var refused = rows["refused"];
        JsonAssert.Equal("""{"of": "two"}""", refused.GetProperty("input"));
        Assert.Equal("\"of\" must be an integer", refused.GetProperty("error").GetString());
        Assert.False(refused.TryGetProperty("output", out _));
        await AssertTraceAsync(refused, "error");
    }

    [Theory, DocumentedCommand(Page, "genkit eval:flow")]
    public async Task EvalFlow_AsOnThePage_WritesARow(string command)
    {
        var rows = await EvaluateAsync(command, Sample);

        AssertScored(Assert.Single(rows).Value, """{"of": 4}""", "16", "true");
    }

    private static void AssertScored(JsonElement row, string input, string output, string score)
    {
        JsonAssert.Equal(input, row.GetProperty("input"));
        JsonAssert.Equal(output, row.GetProperty("output"));
        JsonAssert.IsTraceId(row.GetProperty("traceIds").EnumerateArray().Single());
        JsonAssert.Equal(score, row.GetProperty("metrics").EnumerateArray().Single().GetProperty("score"));
    }

    private async Task AssertTraceAsync(JsonElement row, string state)
    {
        var traceId = row.GetProperty("traceIds").EnumerateArray().Single().GetString()!;

        var printed = await GenkitCli.RunAsync(Workspace, "trace:get", traceId, "--format", "json");

        Assert.Contains($"\"genkit:state\": \"{state}\"", printed, StringComparison.Ordinal);
    }

    /// <summary>Runs the page's command with these samples instead of its own, and returns the rows by test case. The CLI sleeps for two seconds before each.</summary>
    private async Task<Dictionary<string, JsonElement>> EvaluateAsync(string command, string samples)
    {
        Assert.Contains(Sample, command, StringComparison.Ordinal);
        var application = Repository.Require("tests/e2e/evaluated-application.py", "git checkout tests/e2e");
        var shell = new DocumentedShell(Workspace);
        await shell.AddFileAsync("app.py", $"import runpy; runpy.run_path('{application}', run_name='__main__')");

        await shell.RunAsync(command.Replace(Sample, samples, StringComparison.Ordinal));

        using var rows = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(Workspace.Folder, "rows.json"), TestContext.Current.CancellationToken));
        return rows.RootElement.Clone().EnumerateArray().ToDictionary(row => row.GetProperty("testCaseId").GetString()!);
    }
}
