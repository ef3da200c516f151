using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`genkit flow:run … -- genkit-sidecar run -- application`.</summary>
public sealed class FlowRunTests : EndToEndTest
{
    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task FlowRun_PlainFlow_PrintsTheResult(string language)
    {
        var printed = await RunAsync(language, "greet", """{"name": "Ada"}""");

        Assert.Contains("Result:\n{\n  \"greeting\": \"Hello, Ada!\"\n}\nTrace ID: ", printed, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task FlowRun_StreamingFlow_PrintsTheChunksAndThenTheResult(string language)
    {
        var printed = await RunAsync(language, "countdown", """{"from": 2}""", "--stream");

        Assert.Contains(
            "{\n  \"count\": 2\n}\n{\n  \"count\": 1\n}\nResult:\nLiftoff!\nTrace ID: ", printed, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task FlowRun_FailingFlow_PrintsCodeMessageAndTraceId(string language)
    {
        var printed = await RunAsync(language, "fail", """{"code": 9, "message": "not before noon"}""");

        AssertFailed(printed, 9, "not before noon");
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task FlowRun_InvalidInput_PrintsWhichMember(string language)
    {
        var printed = await RunAsync(language, "greet", """{"name": 7}""");

        AssertFailed(printed, 3, "\"name\" must be a string");
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task FlowRun_UnknownFlow_PrintsThatThereIsNone(string language)
    {
        var printed = await RunAsync(language, "nope");

        AssertFailed(printed, 5, "action /flow/nope not found");
    }

    [Theory, MemberData(nameof(Languages.All), MemberType = typeof(Languages))]
    public async Task FlowRun_Ended_LeavesNoProcessBehind(string language)
    {
        await RunAsync(language, "greet", """{"name": "Ada"}""");

        await Gone.WaitAsync(Workspace.ProcessIds());
    }

    private static void AssertFailed(string printed, int code, string message)
    {
        Assert.Contains($"Code: {code}\n", printed, StringComparison.Ordinal);
        Assert.Contains($"Message: {message}\n", printed, StringComparison.Ordinal);
        Assert.Matches("Trace ID: [0-9a-f]{32}\n", printed);
        Assert.DoesNotContain("Result:", printed, StringComparison.Ordinal);
    }

    private Task<string> RunAsync(string language, params string[] arguments) =>
        GenkitCli.RunFlowAsync(Workspace, HelloApplication.In(language), arguments);
}
