using System.Text.RegularExpressions;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Documentation;

public sealed partial class PageTests
{
    /// <summary>What the pages name and is no setting: flags of other programs and of verbs, and the variable that an application reads.</summary>
    private static readonly string[] s_others = ["--write-env-file", "--run", "--json", "--rounds", "GENKIT_SIDECAR_LISTEN"];

    public static TheoryData<string> Paths => [.. Page.All().Select(page => page.Path)];

    public static TheoryData<string> DocsPaths => [.. Page.All().Select(page => page.Path).Where(path => path.StartsWith("docs/", StringComparison.Ordinal) && !path.StartsWith("docs/decisions/", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(Paths))]
    public void Links_OfAPage_LeadToFilesAndHeadings(string path)
    {
        var page = new Page(path);

        Assert.DoesNotContain(page.Links, link => !LeadsSomewhere(page, link));
    }

    [Fact]
    public void Readme_Words_AreAtMost900() => Assert.InRange(new Page("README.md").Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length, 1, 900);

    [Theory, MemberData(nameof(DocsPaths))]
    public void Settings_ThatAPageNames_AreDeclared(string path)
    {
        var named = SettingName().Matches(new Page(path).Text).Select(match => match.Value.TrimStart('`')).Distinct();

        Assert.Empty(named.Except(s_others).Except(SettingTable.All.SelectMany(setting => new[] { setting.Flag, setting.EnvironmentVariable })));
    }

    [Fact]
    public void Index_OfThePages_HasAllOfThem()
    {
        var index = new Page("docs/README.md").Links.Select(link => $"docs/{link}");

        Assert.Empty(DocsPaths.Select(row => row.Data).Except(index).Except(["docs/README.md"]));
    }

    [Fact]
    public void SecurityPage_TestsThatItNames_Exist()
    {
        var sources = string.Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories).Select(File.ReadAllText));

        var named = TestName().Matches(new Page("docs/security.md").Text).Select(match => match.Groups["name"].Value).ToList();

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, name => !sources.Contains($" {name}(", StringComparison.Ordinal));
    }

    private static bool LeadsSomewhere(Page page, string link)
    {
        var parts = link.Split('#');
        var target = parts[0].Length == 0 ? page.Path : Path.GetRelativePath(Repository.Root, Path.Combine(Repository.Root, Path.GetDirectoryName(page.Path)!, parts[0]));
        var full = Path.Combine(Repository.Root, target);
        return parts.Length == 1 ? Path.Exists(full) : File.Exists(full) && new Page(target).Anchors.Contains(parts[1]);
    }

    [GeneratedRegex("(?:`--[a-z][a-z0-9-]*|GENKIT_SIDECAR_[A-Z0-9_]*[A-Z0-9])")]
    private static partial Regex SettingName();

    [GeneratedRegex("`(?<name>[A-Z][A-Za-z0-9]*_[A-Za-z0-9]+_[A-Za-z0-9]+)`")]
    private static partial Regex TestName();
}
