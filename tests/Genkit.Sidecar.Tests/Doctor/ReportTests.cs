using System.Text.Json;
using Genkit.Sidecar.Doctor;

namespace Genkit.Sidecar.Tests.Doctor;

public sealed class ReportTests
{
    private static readonly Step[] s_steps =
    [
        new(StepName.Settings, "reading them", Finding.Ok("manager ws://h:1"), TimeSpan.FromMilliseconds(1.4)),
        new(
            StepName.ManagerTcp,
            "connecting to h:1",
            Finding.Failed("connection refused", $"Start it with `{string.Join(' ', Enumerable.Repeat("word", 18))}`", "`--manager URL` \"here\""),
            TimeSpan.FromSeconds(2)),
        new(StepName.ManagerWebSocket, "upgrading", Finding.Skipped("manager-tcp failed"), TimeSpan.Zero),
        new(StepName.LargeInput, "sending it", Finding.Warning("RESOURCE_EXHAUSTED", "Raise it"), TimeSpan.FromMilliseconds(30)),
    ];

    [Fact]
    public void TextReport_EachStatus_SaysWhatWasTriedFoundAndMendsIt() => Assert.Equal(
        """
        ok       settings: reading them (1 ms)
                   manager ws://h:1
        failed   manager-tcp: connecting to h:1 (2000 ms)
                   connection refused
                   > Start it with
                     `word word word word word word word word word word word word word word word word word word`
                   > `--manager URL` "here"
        skipped  manager-websocket: manager-tcp failed
        warning  large-input: sending it (30 ms)
                   RESOURCE_EXHAUSTED
                   > Raise it

        1 ok, 1 warning, 1 failed, 1 skipped

        """,
        string.Concat(s_steps.Select(TextReport.Of)) + TextReport.Summary(s_steps));

    [Fact]
    public void TextReport_LongTextAndControlCharacters_StayInTheirColumns()
    {
        var step = new Step(StepName.Run, "running it", Finding.Warning($"{string.Join(' ', Enumerable.Repeat("said", 99))}\n\u001b[31mred\u0007", "Mend it"), TimeSpan.Zero);

        var text = TextReport.Of(step);

        Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, 96));
        Assert.DoesNotContain(text, c => char.IsControl(c) && c != '\n');
    }

    [Theory]
    [InlineData(true, "replaces no running runtime.")]
    [InlineData(false, "runs none of your actions.")]
    public void TextReport_Heading_SaysUnderWhichIdItRegistersAndWhatItDoesNot(bool runsAnAction, string last)
    {
        var heading = TextReport.Heading("1.2.3", "doctor-12", runsAnAction).ReplaceLineEndings(" ");

        Assert.StartsWith("genkit-sidecar 1.2.3 doctor It registers for a moment, as doctor-12,", heading, StringComparison.Ordinal);
        Assert.EndsWith(last, heading.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void JsonReport_EachStatus_HasThePromisedMembers()
    {
        using var document = JsonDocument.Parse(JsonReport.Of("1.2.3", "doctor-12", s_steps));

        var report = document.RootElement;
        Assert.Equal(["version", "runtimeId", "status", "steps"], report.EnumerateObject().Select(member => member.Name));
        Assert.Equal("1.2.3", report.GetProperty("version").GetString());
        Assert.Equal("doctor-12", report.GetProperty("runtimeId").GetString());
        Assert.Equal("failed", report.GetProperty("status").GetString());
        Assert.Equal(["ok", "failed", "skipped", "warning"], report.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("status").GetString()));
        var failed = report.GetProperty("steps")[1];
        Assert.Equal(["name", "status", "tried", "found", "remedies", "tookMs"], failed.EnumerateObject().Select(member => member.Name));
        Assert.Equal("manager-tcp", failed.GetProperty("name").GetString());
        Assert.Equal("connecting to h:1", failed.GetProperty("tried").GetString());
        Assert.Equal("connection refused", failed.GetProperty("found").GetString());
        Assert.Equal("`--manager URL` \"here\"", failed.GetProperty("remedies")[1].GetString());
        Assert.Equal(2000, failed.GetProperty("tookMs").GetInt64());
    }

    [Theory]
    [InlineData("ok", 0)]
    [InlineData("warning", 0, 3)]
    [InlineData("ok", 0, 2)]
    public void JsonReport_Status_IsTheWorstOfTheSteps(string status, params int[] steps)
    {
        using var document = JsonDocument.Parse(JsonReport.Of("1", "doctor", [.. steps.Select(step => s_steps[step])]));

        Assert.Equal(status, document.RootElement.GetProperty("status").GetString());
    }
}
