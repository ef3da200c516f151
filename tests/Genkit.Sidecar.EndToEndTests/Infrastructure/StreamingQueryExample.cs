using System.Text;
using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The worked example of a streaming query flow: the same events in every language.</summary>
internal sealed record StreamingQueryExample(IReadOnlyList<string> Program)
{
    private const string Python = "clients/python/examples/streaming-query/streaming_query.py";
    private const string PythonLibrary = "clients/python/src";

    /// <summary>The languages that every theory of it runs with.</summary>
    public static TheoryData<string> Languages { get; } = ["csharp", "python"];

    public static StreamingQueryExample In(string language) => language switch
    {
        "csharp" => new(["dotnet", Repository.Require($"artifacts/bin/StreamingQuery/{Repository.Configuration}/StreamingQuery.dll", "dotnet build")]),
        "python" => new(["env", $"PYTHONPATH={WithStubs()}", "/usr/bin/python3", Repository.Require(Python, "git checkout clients")]),
        _ => throw new ArgumentException($"There is no such example in {language}.", nameof(language)),
    };

    /// <summary>Returns the example's command, with a script of the agent's answers to the question `?`.</summary>
    public IEnumerable<string> Saying(Workspace workspace, params IEnumerable<string> events)
    {
        var scripts = Path.Combine(workspace.Folder, "scripts.json");
        File.WriteAllText(scripts, $$"""{"?": [{{string.Join(", ", events)}}]}""");
        return [.. Program, "--scripts", scripts];
    }

    /// <summary>Reads the events out of what `flow:run --stream` has printed.</summary>
    public static IReadOnlyList<JsonElement> EventsIn(string printed)
    {
        var lines = printed.Split('\n').SkipWhile(line => line != "{").TakeWhile(line => line is not "Result:" && !line.StartsWith("Error:", StringComparison.Ordinal));
        var json = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { AllowMultipleValues = true });
        var events = new List<JsonElement>();
        while (reader.Read())
        {
            events.Add(JsonElement.ParseValue(ref reader));
        }

        return events;
    }

    private static string WithStubs()
    {
        Repository.Require($"{PythonLibrary}/genkit_sidecar/_stubs/genkit/sidecar/v1/action_service_pb2.py", "tests/e2e/setup libraries");
        return Path.Combine(Repository.Root, PythonLibrary);
    }
}
