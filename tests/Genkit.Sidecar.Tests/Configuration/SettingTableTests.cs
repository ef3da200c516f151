using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

public sealed class SettingTableTests
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
    public void SettingsPage_Tables_HaveEveryRowAsDeclared()
    {
        var page = File.ReadAllLines(Path.Combine(Repository.Root, "docs/settings.md"));

        var rows = page.Where(line => line.StartsWith("| `--", StringComparison.Ordinal));

        Assert.Equal(SettingsMarkdown.Rows(), rows);
    }

    [Fact]
    public void Markdown_AnySetting_IsARowOfFiveCells()
    {
        TestContext.Current.AddAttachment("settings.md", string.Join('\n', [.. SettingsMarkdown.Head, .. SettingsMarkdown.Rows()]));

        Assert.All(SettingsMarkdown.Rows(), row => Assert.Equal(6, row.Count(c => c == '|')));
    }
}
