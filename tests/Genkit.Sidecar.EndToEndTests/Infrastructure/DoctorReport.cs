using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>What `genkit-sidecar doctor --json` printed, and its exit code.</summary>
internal sealed class DoctorReport
{
    private readonly JsonElement _report;

    private DoctorReport(int exitCode, string json)
    {
        ExitCode = exitCode;
        using var document = JsonDocument.Parse(json);
        _report = document.RootElement.Clone();
    }

    public int ExitCode { get; }

    public string RuntimeId => _report.GetProperty("runtimeId").GetString()!;

    /// <summary>Name and status of each step, in order.</summary>
    public IEnumerable<(string Name, string Status)> Steps =>
        _report.GetProperty("steps").EnumerateArray().Select(step => (Text(step, "name"), Text(step, "status")));

    public static DoctorReport Parse(int exitCode, string json) => new(exitCode, json);

    /// <summary>Runs the doctor with these arguments.</summary>
    public static Task<DoctorReport> OfAsync(Workspace workspace, params IEnumerable<string> arguments) =>
        OfAsync(workspace, [], new Dictionary<string, string>(), arguments);

    /// <summary>Runs the doctor under another command, for example one that changes its network.</summary>
    public static async Task<DoctorReport> OfAsync(
        Workspace workspace, IEnumerable<string> by, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        var doctor = workspace.Start([.. by, .. SidecarCommand.Of(workspace, ["doctor", "--json", .. arguments])], environment);
        var exitCode = await doctor.ExitAsync();
        return new DoctorReport(exitCode, string.Join('\n', doctor.Output.Snapshot()));
    }

    /// <summary>Asserts the status of a step, and that its finding and one of its remedies contain these texts.</summary>
    public void AssertStep(string name, string status, string found, string? remedy = null)
    {
        var step = _report.GetProperty("steps").EnumerateArray().SingleOrDefault(step => Text(step, "name") == name);
        Assert.True(step.ValueKind == JsonValueKind.Object, $"There is no step {name} in {_report.GetRawText()}");
        Assert.True(Text(step, "status") == status, step.GetRawText());
        Assert.Contains(found, Text(step, "found"), StringComparison.Ordinal);
        Assert.True(
            remedy is null || step.GetProperty("remedies").EnumerateArray().Any(row => row.GetString()!.Contains(remedy, StringComparison.Ordinal)),
            step.GetRawText());
    }

    /// <summary>Asserts that no step failed and that the exit code is 0.</summary>
    public void AssertPassed()
    {
        Assert.True(ExitCode == 0 && Steps.All(step => step.Status != "failed"), _report.GetRawText());
    }

    /// <summary>Asserts that this step failed, that the steps that depend on it were skipped, and that the exit code is 1.</summary>
    public void AssertFailed(string name, string found, string remedy)
    {
        AssertStep(name, "failed", found, remedy);
        Assert.Equal(1, ExitCode);
        Assert.Equal("failed", Text(_report, "status"));
        var side = Side(name);
        Assert.All(
            Steps.Where(step => Side(step.Name) == side).SkipWhile(step => step.Name != name).Skip(1),
            step => Assert.Equal("skipped", step.Status));
    }

    public override string ToString() => _report.GetRawText();

    private static string Side(string name) => name switch
    {
        "settings" => "settings",
        "runtime-id" => "manager",
        _ when name.StartsWith("manager-", StringComparison.Ordinal) => "manager",
        _ => "application",
    };

    private static string Text(JsonElement element, string member) => element.GetProperty(member).GetString()!;
}
