using System.Text.Json;
using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Tests.Infrastructure;

/// <summary>Files of <c>tests/data</c>, which the build copies beside the tests, and the root of the repository.</summary>
internal static class TestData
{
    private static readonly string s_data = Path.Combine(AppContext.BaseDirectory, "data");

    public static string JsonTestSuite { get; } = Path.Combine(s_data, "json-test-suite", "test_parsing");

    /// <summary>The repository's root, found from the folder of the tests.</summary>
    public static string Repository { get; } = FindRepository(new DirectoryInfo(AppContext.BaseDirectory));

    public static IReadOnlyList<GoldenFrame> GoldenFrames { get; } =
        [.. File.ReadLines(Path.Combine(s_data, "golden", "frames.jsonl")).Select(Parse)];

    /// <summary>The traces by scenario. The key of a span's start ends with "(start)".</summary>
    public static IReadOnlyDictionary<string, GoldenTrace> GoldenTraces { get; } =
        File.ReadLines(Path.Combine(s_data, "golden", "traces.jsonl")).Select(ParseTrace).ToDictionary(trace => trace.Scenario);

    private static GoldenTrace ParseTrace(string line)
    {
        var post = JsonNode.Parse(line)!.AsObject();
        var body = post["body"]!.AsObject();
        var isStart = body["endTime"]!.GetValue<decimal>() == 0;
        return new GoldenTrace(post["scenario"]!.GetValue<string>() + (isStart ? " (start)" : ""), body);
    }

    private static GoldenFrame Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new GoldenFrame(
            root.GetProperty("scenario").GetString()!,
            root.GetProperty("dir").GetString() == "manager->runtime",
            root.GetProperty("frame").GetRawText());
    }

    private static string FindRepository(DirectoryInfo? directory)
    {
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Genkit.Sidecar.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new DirectoryNotFoundException("The tests do not lie inside the repository");
    }
}
