using System.Text.RegularExpressions;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

public sealed partial class SettingTableTests
{
    [Fact]
    public void All_EveryRow_IsCompleteAndUnique()
    {
        Assert.All(SettingTable.All, setting =>
        {
            Assert.Matches("^[a-z]+(-[a-z0-9]+)*$", setting.Name);
            Assert.Matches("^GENKIT_[A-Z0-9_]+$", setting.EnvironmentVariable);
            Assert.False(string.IsNullOrWhiteSpace(setting.Description) || setting.Description.EndsWith('.'));
            Assert.False(string.IsNullOrWhiteSpace(setting.Reason) || string.IsNullOrWhiteSpace(setting.Accepts));
        });
        Assert.Equal(SettingTable.All.Count, SettingTable.All.Select(setting => setting.Name).Distinct().Count());
        Assert.Equal(SettingTable.All.Count, SettingTable.All.Select(setting => setting.EnvironmentVariable).Distinct().Count());
    }

    [Fact]
    public void Readme_SettingsTable_HasEveryRowAsDeclared()
    {
        var readme = File.ReadAllLines(Path.Combine(Repository.Root, "README.md"));

        var rows = readme.Where(line => line.StartsWith("| `--", StringComparison.Ordinal));

        Assert.Equal(SettingsMarkdown.Rows(), rows);
    }

    [Fact]
    public void TelemetryPage_SettingsThatItNames_AreDeclared()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs/telemetry.md"));

        var named = SettingName().Matches(page).Select(match => match.Value.TrimStart('`')).Distinct();

        Assert.Empty(named.Except(SettingTable.All.SelectMany(setting => new[] { setting.Flag, setting.EnvironmentVariable })));
    }

    [Fact]
    public void Markdown_AnySetting_IsARowOfFiveCells()
    {
        TestContext.Current.AddAttachment("settings.md", string.Join('\n', [.. SettingsMarkdown.Head, .. SettingsMarkdown.Rows()]));

        Assert.All(SettingsMarkdown.Rows(), row => Assert.Equal(6, row.Count(c => c == '|')));
    }

    [GeneratedRegex("(?:`--[a-z-]+|GENKIT_SIDECAR_[A-Z_]+)")]
    private static partial Regex SettingName();
}
