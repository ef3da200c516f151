using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.GenAi;

/// <summary>What a model was asked, in the shape of Genkit's <c>GenerateRequest</c>.</summary>
internal static class GenAiRequest
{
    private static readonly (string Name, string[] Keys)[] s_config =
    [
        ("temperature", ["gen_ai.request.temperature"]),
        ("maxOutputTokens", ["gen_ai.request.max_tokens"]),
        ("topK", ["gen_ai.request.top_k"]),
        ("topP", ["gen_ai.request.top_p"]),
        ("stopSequences", ["gen_ai.request.stop_sequences"]),
        ("frequencyPenalty", ["gen_ai.request.frequency_penalty"]),
        ("presencePenalty", ["gen_ai.request.presence_penalty"]),
        ("seed", ["gen_ai.request.seed"]),
    ];

    /// <summary>Null if nothing is known of it, as instrumentations tell contents only where they are asked to.</summary>
    public static AnyValue? Read(GenAiSource source)
    {
        var config = AnyValueTree.Map(source.Members(s_config));
        var messages = GenAiMessages.OfInput(source);
        if (messages.Count == 0 && config.KvlistValue.Values.Count == 0)
        {
            return null;
        }

        return AnyValueTree.Map(("messages", AnyValueTree.List(messages)), ("config", config), ("tools", Tools(source)));
    }

    private static AnyValue? Tools(GenAiSource source) =>
        source.Find("gen_ai.tool.definitions")?.Parsed() is { IsList: true } tools
            ? AnyValueTree.List(tools.ArrayValue.Values.Where(tool => tool.IsMap).Select(Tool))
            : null;

    /// <summary>A tool by itself, or wrapped as in OpenAI's requests.</summary>
    private static AnyValue Tool(AnyValue tool)
    {
        var definition = tool.Member("function") is { IsMap: true } function ? function : tool;
        return AnyValueTree.Map(
            ("name", AnyValueTree.String(definition.MemberText("name") ?? "")),
            ("description", AnyValueTree.String(definition.MemberText("description") ?? "")),
            ("inputSchema", definition.Member("parameters", "input_schema")));
    }
}
