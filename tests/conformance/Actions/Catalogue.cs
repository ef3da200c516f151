using System.Text.Json;
using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Actions;

/// <summary>The actions of an application under test, from <c>catalogue.jsonc</c>.</summary>
internal sealed class Catalogue
{
    private readonly List<JsonElement> _actions;

    private Catalogue(JsonElement root)
    {
        Root = root;
        _actions = [.. root.GetProperty("actions").EnumerateArray()];
        Features = root.GetProperty("features").EnumerateObject().ToDictionary(feature => feature.Name, feature => feature.Value.GetString()!);
    }

    public JsonElement Root { get; }

    /// <summary>The optional features, with their descriptions.</summary>
    public IReadOnlyDictionary<string, string> Features { get; }

    public static Catalogue Load()
    {
        using var stream = typeof(Catalogue).Assembly.GetManifestResourceStream("catalogue.jsonc")!;
        using var document = JsonDocument.Parse(stream, CaseJson.Options);
        return new Catalogue(document.RootElement.Clone());
    }

    /// <summary>Returns the expected listing of each action, without the actions of excluded features. Null stands for an action that must not be listed.</summary>
    public IReadOnlyDictionary<string, ActionExpectation?> Expectations(IReadOnlySet<string> without)
    {
        var expectations = new Dictionary<string, ActionExpectation?>(StringComparer.Ordinal);
        foreach (var action in _actions)
        {
            if (!action.TryGetProperty("feature", out var feature) || !without.Contains(feature.GetString()!))
            {
                expectations[action.GetProperty("key").GetString()!] = ExpectationOf(action);
            }
        }

        return expectations;
    }

    private static ActionExpectation? ExpectationOf(JsonElement action)
    {
        if (action.TryGetProperty("listed", out var listed) && !listed.GetBoolean())
        {
            return null;
        }

        // Schemas and metadata may have additional members, which libraries add.
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var member in action.EnumerateObject())
            {
                switch (member.Name)
                {
                    case "name" or "description":
                        member.WriteTo(json);
                        break;
                    case "inputSchema" or "outputSchema" or "metadata":
                        json.WriteStartObject(member.Name);
                        json.WritePropertyName("$contains");
                        member.Value.WriteTo(json);
                        json.WriteEndObject();
                        break;
                    default:
                        break;
                }
            }

            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(stream.ToArray());
        return new ActionExpectation(new Members(document.RootElement.Clone()));
    }
}
