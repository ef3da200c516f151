using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>Metadata and schemas of Genkit's action types.</summary>
internal static class Kinds
{
    private static readonly Lazy<JsonObject> s_kinds = new(() =>
    {
        using var stream = typeof(Kinds).Assembly.GetManifestResourceStream("kinds.json")!;
        return JsonNode.Parse(stream)!.AsObject();
    });

    /// <summary>Returns Genkit's schema for the <c>input</c> or <c>output</c> of an action type, or null if the type has no fixed schema.</summary>
    public static JsonObject? SchemaOf(string kind, string direction) => s_kinds.Value[kind]?[direction] is JsonObject schema
        ? With(schema, new JsonObject { ["definitions"] = s_kinds.Value["definitions"]!.DeepClone(), ["$schema"] = Schema.Draft07 })
        : null;

    /// <summary>Merges the given metadata with the metadata that the kind requires. The latter takes precedence.</summary>
    public static JsonObject With(JsonObject? given, JsonObject needed)
    {
        var both = given?.DeepClone().AsObject() ?? [];
        foreach (var (name, value) in needed)
        {
            both[name] = value?.DeepClone();
        }

        return both;
    }

    public static JsonObject Tool() => new() { ["type"] = "tool" };

    public static JsonObject Model(string name, ModelOptions options) => new()
    {
        ["model"] = Given(
            ("label", options.Label ?? name),
            ("customOptions", options.ConfigSchema?.DeepClone()),
            ("versions", Array(options.Versions)),
            ("supports", options.Supports is { } supports
                ? Given(
                    ("multiturn", supports.Multiturn),
                    ("media", supports.Media),
                    ("tools", supports.Tools),
                    ("systemRole", supports.SystemRole),
                    ("output", Array(supports.Output)),
                    ("contentType", Array(supports.ContentType)),
                    ("context", supports.Context),
                    ("constrained", supports.Constrained),
                    ("toolChoice", supports.ToolChoice))
                : null),
            ("stage", options.Stage)),
    };

    public static JsonObject Prompt(string name, PromptOptions options, JsonObject? inputSchema)
    {
        var input = Given(("schema", inputSchema?.DeepClone()), ("default", options.InputDefault?.DeepClone()));
        return new JsonObject
        {
            ["type"] = "prompt",
            ["prompt"] = Given(
                ("name", name),
                ("model", options.Model),
                ("config", options.Config?.DeepClone()),
                ("input", input.Count > 0 ? input : null),
                ("tools", Array(options.Tools))),
        };
    }

    public static JsonObject Embedder(string name, EmbedderOptions options) => new()
    {
        ["type"] = "embedder",
        ["info"] = Given(
            ("label", options.Label ?? name),
            ("dimensions", options.Dimensions),
            ("supports", options.Supports is { } supports ? Given(("input", Array(supports.Input)), ("multilingual", supports.Multilingual)) : null)),
        ["embedder"] = Given(("customOptions", options.ConfigSchema?.DeepClone())),
    };

    /// <summary>Returns the metadata of a retriever, an indexer or a reranker.</summary>
    public static JsonObject Labelled(string kind, string name, LabelledOptions options) => new()
    {
        ["type"] = kind,
        ["info"] = Given(("label", options.Label ?? name)),
        [kind] = Given(("customOptions", options.ConfigSchema?.DeepClone())),
    };

    public static JsonObject Evaluator(string name, EvaluatorOptions options) => new()
    {
        ["type"] = "evaluator",

        // The CLI reads it here, while Genkit's own runtimes only list it below.
        ["evaluatorIsBilled"] = options.IsBilled,
        ["evaluator"] = Given(
            ("evaluatorDisplayName", options.DisplayName ?? name),
            ("evaluatorDefinition", options.Definition),
            ("evaluatorIsBilled", options.IsBilled)),
    };

    private static JsonObject Given(params ReadOnlySpan<(string Name, JsonNode? Value)> members)
    {
        var given = new JsonObject();
        foreach (var (name, value) in members)
        {
            if (value is not null)
            {
                given[name] = value;
            }
        }

        return given;
    }

    private static JsonArray? Array(IReadOnlyList<string>? items) => items is null ? null : [.. items.Select(item => (JsonNode)item)];
}
