using System.Text.Json;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`genkit eval:flow … -- genkit-sidecar run -- application`. The rows that it writes come from the traces, not from the answers.</summary>
public sealed class EvaluationTests : EndToEndTest
{
    [Fact]
    public async Task EvalFlow_SamplesThatSucceed_WritesInputOutputTraceAndScore()
    {
        var rows = await EvaluateAsync("""[{"testCaseId": "even", "input": {"of": 4}}, {"testCaseId": "odd", "input": {"of": 3}}]""");

        AssertScored(rows["even"], """{"of": 4}""", "16", "true");
        AssertScored(rows["odd"], """{"of": 3}""", "9", "false");
    }

    [Fact]
    public async Task EvalFlow_SampleThatIsRefused_WritesInputErrorAndTrace()
    {
        var rows = await EvaluateAsync("""[{"testCaseId": "fine", "input": {"of": 2}}, {"testCaseId": "refused", "input": {"of": "two"}}]""");

        AssertScored(rows["fine"], """{"of": 2}""", "4", "true");
        var refused = rows["refused"];
        JsonAssert.Equal("""{"of": "two"}""", refused.GetProperty("input"));
        Assert.Equal("\"of\" must be an integer", refused.GetProperty("error").GetString());
        Assert.False(refused.TryGetProperty("output", out _));
        await AssertTraceAsync(refused, "error");
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

    /// <summary>Returns the rows by test case. The CLI sleeps for two seconds before each.</summary>
    private async Task<Dictionary<string, JsonElement>> EvaluateAsync(string samples)
    {
        var application = Repository.Require("tests/e2e/evaluated-application.py", "git checkout tests/e2e");
        var written = Path.Combine(Workspace.Folder, "rows.json");

        await GenkitCli.RunAsync(
            Workspace,
            ["eval:flow", "square", samples, "--output", written, "--", .. SidecarCommand.Run(Workspace, ["/usr/bin/python3", application])]);

        using var rows = JsonDocument.Parse(await File.ReadAllBytesAsync(written, TestContext.Current.CancellationToken));
        return rows.RootElement.Clone().EnumerateArray().ToDictionary(row => row.GetProperty("testCaseId").GetString()!);
    }
}
