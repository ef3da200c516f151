using System.Text.RegularExpressions;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Architecture;

/// <summary>Checks which folder of the sidecar uses which, from the sources.</summary>
public partial class DependencyTests
{
    /// <summary>
    /// What each folder may use: only folders below it, so that there is one direction. Every folder may use the types at the root of the sidecar,
    /// which use none.
    /// </summary>
    private static readonly (string Folder, string[] MayUse)[] s_table =
    [
        ("Cli", ["Doctor", "Endpoints/Health", "Runs", "Health", "Application", "Supervision", "Actions", "Metrics", "Json", "Configuration"]),
        ("Doctor", ["Endpoints/ReflectionV2", "Endpoints/ReflectionV1", "JsonRpc", "Runs", "Application", "Supervision", "Actions", "Metrics", "Configuration", "GrpcClient"]),
        ("Hosting", ["Endpoints/ReflectionV2", "Endpoints/ReflectionV1", "Endpoints/FlowServer", "Endpoints/Otlp", "Endpoints/Health", "Runs", "Health", "Application", "Telemetry", "Metrics", "Configuration"]),
        ("Endpoints/ReflectionV2", ["JsonRpc", "Runs", "Health", "Application", "Telemetry", "Actions", "Metrics", "Configuration"]),
        ("Endpoints/ReflectionV1", ["JsonRpc", "Runs", "Health", "Application", "Telemetry", "Http", "Actions", "Json", "Configuration"]),
        ("Endpoints/FlowServer", ["Runs", "Health", "Http", "Actions", "Json", "Configuration"]),
        ("Endpoints/Otlp", ["ApplicationTelemetry", "Otlp", "Telemetry", "Http", "Metrics", "Configuration"]),
        ("Endpoints/Health", ["Health", "Http", "Metrics", "Configuration"]),
        ("JsonRpc", ["Actions", "Json"]),
        ("Runs", ["Application", "Telemetry", "Actions", "Metrics", "Json", "Configuration"]),
        ("Health", ["Application", "Configuration"]),
        ("Application", ["Actions", "Json", "Configuration", "GrpcClient"]),
        ("ApplicationTelemetry", ["GenAi", "Otlp", "Telemetry", "Json"]),
        ("GenAi", ["Otlp", "Json"]),
        ("Otlp", ["Json", "Configuration"]),
        ("Telemetry", ["Metrics", "Json", "Configuration"]),
        ("Supervision", ["Http", "Configuration"]),
        ("Http", ["Configuration"]),
        ("Actions", ["Json"]),
        ("Metrics", []),
        ("Json", []),
        ("Configuration", []),
        ("GrpcClient", []),
    ];

    private static readonly string s_sidecar = Path.Combine(TestData.Repository, "sidecar");

    public static TheoryData<string> Folders => [.. s_table.Select(row => row.Folder)];

    [Fact]
    public void Sidecar_Folders_AreAllInTheTable()
    {
        var folders = Directory.EnumerateFiles(s_sidecar, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(s_sidecar, Path.GetDirectoryName(file)!).Replace('\\', '/'))
            .Where(folder => folder != "." && folder.Split('/')[0] is not ("bin" or "obj"))
            .Distinct();

        Assert.Equal(s_table.Select(row => row.Folder).Order(StringComparer.Ordinal), folders.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_InTheTable_MayUseOnlyFoldersBelowIt(string folder)
    {
        var row = Array.FindIndex(s_table, row => row.Folder == folder);

        Assert.All(s_table[row].MayUse, other => Assert.Contains(other, s_table[(row + 1)..].Select(below => below.Folder)));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_Sources_UseWhatTheTableAllowsAndAllOfIt(string folder)
    {
        var used = Sources(folder).SelectMany(Used).Where(other => other != folder).Distinct();

        Assert.Equal(MayUse(folder).Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_Sources_AreInTheNamespaceOfTheirFolder(string folder) =>
        Assert.All(Sources(folder), file => Assert.Contains($"namespace {Namespace(folder)};", File.ReadAllText(file), StringComparison.Ordinal));

    [Fact]
    public void Root_Sources_UseNoFolderButInProgram()
    {
        var sources = Directory.GetFiles(s_sidecar, "*.cs").Where(file => Path.GetFileName(file) != "Program.cs");

        Assert.Empty(sources.SelectMany(Used));
    }

    [Fact]
    public void Readme_TableOfFolders_IsThisTable()
    {
        var rows = ReadmeRows().Matches(File.ReadAllText(Path.Combine(s_sidecar, "README.md")))
            .Select(row => $"{row.Groups["folder"].Value}: {row.Groups["uses"].Value}");

        Assert.Equal(s_table.Select(row => $"{row.Folder}: {(row.MayUse.Length > 0 ? string.Join(", ", row.MayUse) : "–")}"), rows);
    }

    private static string[] MayUse(string folder) => s_table.First(row => row.Folder == folder).MayUse;

    private static string Namespace(string folder) => $"Genkit.Sidecar.{folder.Replace('/', '.')}";

    private static string[] Sources(string folder) => Directory.GetFiles(Path.Combine(s_sidecar, folder), "*.cs");

    /// <summary>The folders whose namespaces a source imports, or names in full or from the root on.</summary>
    private static IEnumerable<string> Used(string file)
    {
        var code = CommentsAndStrings().Replace(File.ReadAllText(file), "");
        return References().Matches(code).Select(match => match.Groups["path"].Value).SelectMany(Folder).Distinct();
    }

    /// <summary>The folder that a path of names begins with, if it does.</summary>
    private static IEnumerable<string> Folder(string path) => s_table
        .Select(row => row.Folder)
        .Where(folder => $"{path}.".StartsWith($"{folder.Replace('/', '.')}.", StringComparison.Ordinal));

    /// <summary>Full names, and names from the common root such as <c>Runs.RunEvent</c>.</summary>
    [GeneratedRegex(@"\bGenkit\.Sidecar\.(?<path>[\w.]+)|(?<![\w.])(?<path>\w+(?:\.\w+)*)(?=\.[A-Z])")]
    private static partial Regex References();

    [GeneratedRegex(@"^\| `(?<folder>[\w/]+)/` \|.*\| (?<uses>[^|]+) \|\r?$", RegexOptions.Multiline)]
    private static partial Regex ReadmeRows();

    [GeneratedRegex(@"//[^\n]*|""(?:[^""\\\n]|\\.)*""")]
    private static partial Regex CommentsAndStrings();
}
