using System.Text.RegularExpressions;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>The kit's folders use each other in one direction, as its README's table says: read from the sources.</summary>
public partial class DependencyTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Json"] = [],
        ["Payloads"] = ["Json"],
        ["Subjects"] = ["Json"],
        ["Actions"] = ["Payloads", "Subjects"],
        ["Reference"] = ["Actions"],
        ["Steps"] = ["Actions", "Payloads", "Subjects"],
        ["Suites"] = ["Actions", "Payloads", "Steps"],
        ["Running"] = ["Actions", "Reference", "Steps", "Subjects", "Suites"],
        ["Reports"] = ["Running", "Suites"],
    };

    public static TheoryData<string> Folders => [.. s_allowed.Keys];

    [GeneratedRegex(@"^using Genkit\.Sidecar\.Conformance\.(\w+);", RegexOptions.Multiline)]
    private static partial Regex Using { get; }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_Sources_UseOnlyWhatTheTableAllows(string folder)
    {
        var used = Directory.EnumerateFiles(Path.Combine(Kit(), folder), "*.cs")
            .SelectMany(file => Using.Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value);

        Assert.All(used, name => Assert.Contains(name, s_allowed[folder]));
    }

    [Fact]
    public void Kit_Folders_AreAllInTheTable() =>
        Assert.Equal(
            s_allowed.Keys.Order(StringComparer.Ordinal),
            Directory.EnumerateDirectories(Kit()).Where(folder => Directory.EnumerateFiles(folder, "*.cs").Any()).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal));

    private static string Kit()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Genkit.Sidecar.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not in the repository."), "tests/conformance");
    }
}
