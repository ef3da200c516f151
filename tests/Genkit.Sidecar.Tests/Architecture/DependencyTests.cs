using System.Text.RegularExpressions;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Architecture;

/// <summary>Endpoints use runs, and runs use the application. Reads the dependencies from the source text.</summary>
public partial class DependencyTests
{
    /// <summary>The folders that each folder may use. A folder that is not listed may use none, and none may use it.</summary>
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Json"] = [],
        ["GrpcClient"] = [],
        ["Configuration"] = [],
        ["Application"] = ["Json", "GrpcClient", "Configuration"],
        ["Metrics"] = ["Configuration"],
        ["Telemetry"] = ["Json", "Configuration", "Metrics"],
        ["Otlp"] = ["Json", "Configuration", "Http", "Metrics", "Telemetry"],
        ["Runs"] = ["Json", "Configuration", "Application", "Telemetry", "Metrics"],
        ["JsonRpc"] = ["Json", "Application"],
        ["ReflectionV2"] = ["Json", "Configuration", "Application", "Telemetry", "Runs", "JsonRpc", "Metrics"],
        ["ReflectionV1"] = ["Json", "Configuration", "Application", "Telemetry", "Runs", "JsonRpc", "Http"],
        ["Sockets"] = ["Configuration"],
        ["Http"] = ["Sockets", "Configuration"],
        ["Health"] = ["Configuration", "Application", "ReflectionV1", "ReflectionV2", "Metrics", "Http"],
        ["FlowServer"] = ["Json", "Configuration", "Application", "Runs", "Health", "Http"],
        ["Hosting"] = ["Configuration", "Application", "Telemetry", "Otlp", "Runs", "ReflectionV1", "ReflectionV2", "FlowServer", "Health", "Metrics"],
        ["Supervision"] = ["Configuration", "Sockets", "Cli"],
        ["Doctor"] = ["GrpcClient", "Configuration", "Application", "Runs", "JsonRpc", "Metrics", "ReflectionV1", "ReflectionV2", "Supervision"],
        ["Cli"] = ["Json", "Configuration", "Application", "Runs", "Metrics", "Health", "Hosting", "Supervision", "Doctor"],
    };

    /// <summary>Dependencies that are limited to these types of the other folder.</summary>
    private static readonly Dictionary<(string From, string To), string[]> s_narrow = new()
    {
        [("JsonRpc", "Application")] = ["ActionFailure", "FailureJson", "RunRequest"],
        [("Telemetry", "Metrics")] = ["TelemetryMetrics", "TelemetryItem", "TelemetryOutcome"],
        [("Otlp", "Metrics")] = ["TelemetryMetrics", "TelemetryItem", "TelemetryOutcome"],
        [("ReflectionV2", "Telemetry")] = ["TelemetryServer", "TraceExporter"],
        [("ReflectionV1", "Telemetry")] = ["TelemetryServer"],
        [("ReflectionV1", "JsonRpc")] = ["JsonRpcMessage", "JsonRpcReader", "RunActionParams"],
        [("Metrics", "Configuration")] = ["SidecarVersion"],
        [("Doctor", "ReflectionV1")] = ["ReflectionV1Listener", "RuntimeFile"],
        [("Health", "ReflectionV1")] = ["ReflectionV1Status"],
        [("FlowServer", "Health")] = ["SidecarHealth", "HealthEndpoints"],
        [("Health", "ReflectionV2")] = ["ManagerStatus"],
        [("Sockets", "Configuration")] = ["Parsed"],
        [("Supervision", "Cli")] = ["ExitCode"],
    };

    private static readonly string s_sidecar = Path.Combine(TestData.Repository, "sidecar");

    public static TheoryData<string> Folders => [.. s_allowed.Keys];

    [Fact]
    public void Sidecar_Folders_AreAllInTheTable()
    {
        var folders = Directory.EnumerateDirectories(s_sidecar)
            .Where(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Any())
            .Select(folder => Path.GetFileName(folder));

        Assert.Equal(s_allowed.Keys.Order(StringComparer.Ordinal), folders.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_Sources_UseOnlyWhatTheTableAllows(string folder)
    {
        foreach (var file in Sources(folder))
        {
            var used = References().Matches(Code(file)).Select(match => match.Groups["folder"].Value).Where(s_allowed.ContainsKey).Distinct();

            Assert.True(
                used.All(other => other == folder || s_allowed[folder].Contains(other)),
                $"{Path.GetRelativePath(s_sidecar, file)} uses {string.Join(", ", used)}; {folder} may use {string.Join(", ", s_allowed[folder])}");
        }
    }

    [Fact]
    public void Folder_NarrowEdge_UsesOnlyTheTypesThatTheTableNames()
    {
        foreach (var ((from, to), types) in s_narrow)
        {
            var others = Sources(to).Select(file => Path.GetFileName(file).Split('.')[0]).Except(types).ToHashSet();
            foreach (var file in Sources(from))
            {
                var code = Code(file);
                var constants = Constants().Matches(code).Select(match => match.Groups["name"].Value);
                var used = Words().Matches(code).Select(match => match.Value).Where(others.Contains).Except(constants);

                Assert.True(!used.Any(), $"{Path.GetRelativePath(s_sidecar, file)} uses {string.Join(", ", used)} of {to}, not only {string.Join(", ", types)}");
            }
        }
    }

    [Fact]
    public void Folder_Sources_AreInTheNamespaceOfTheirFolder()
    {
        foreach (var folder in s_allowed.Keys)
        {
            Assert.All(Sources(folder), file => Assert.Contains($"namespace Genkit.Sidecar.{folder};", File.ReadAllText(file), StringComparison.Ordinal));
        }
    }

    private static string[] Sources(string folder) =>
        Directory.GetFiles(Path.Combine(s_sidecar, folder), "*.cs", SearchOption.AllDirectories);

    /// <summary>A source without its comments and strings.</summary>
    private static string Code(string file) => CommentsAndStrings().Replace(File.ReadAllText(file), "");

    /// <summary>Full names, and names from the common root such as <c>Runs.RunEvent</c>.</summary>
    [GeneratedRegex(@"\bGenkit\.Sidecar\.(?<folder>\w+)|(?<![\w.])(?<folder>\w+)(?=\.[A-Z])")]
    private static partial Regex References();

    /// <summary>Names other than those of other types' members.</summary>
    [GeneratedRegex(@"(?<![\w.])\w+")]
    private static partial Regex Words();

    [GeneratedRegex(@"const \w+ (?<name>\w+)")]
    private static partial Regex Constants();

    [GeneratedRegex(@"//[^\n]*|""(?:[^""\\\n]|\\.)*""")]
    private static partial Regex CommentsAndStrings();
}
