using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.GenAi;

/// <summary>What a span of OpenTelemetry's conventions for generative AI is to Genkit.</summary>
/// <param name="Subtype">Type of the action.</param>
/// <param name="NameKeys">Attributes that name it, the best first.</param>
/// <param name="HasMessages">Whether messages go in and out, as with a model.</param>
/// <param name="IsOfProvider">Whether Genkit would name it after its provider too, as in <c>openai/gpt-5</c>.</param>
internal sealed record GenAiKind(string Subtype, string[] NameKeys, bool HasMessages, bool IsOfProvider)
{
    private static readonly string[] s_modelKeys = ["gen_ai.request.model", "gen_ai.response.model"];
    private static readonly GenAiKind s_model = new("model", s_modelKeys, HasMessages: true, IsOfProvider: true);
    private static readonly GenAiKind s_embedder = new("embedder", s_modelKeys, HasMessages: false, IsOfProvider: true);
    private static readonly GenAiKind s_reranker = new("reranker", s_modelKeys, HasMessages: false, IsOfProvider: true);
    private static readonly GenAiKind s_retriever = new("retriever", ["gen_ai.data_source.id"], HasMessages: false, IsOfProvider: false);
    private static readonly GenAiKind s_tool = new("tool", ["gen_ai.tool.name"], HasMessages: false, IsOfProvider: false);
    private static readonly GenAiKind s_agent = new("agent", ["gen_ai.agent.name", "gen_ai.agent.id"], HasMessages: true, IsOfProvider: false);

    private static readonly Dictionary<string, GenAiKind> s_operations = new()
    {
        ["chat"] = s_model,
        ["generate_content"] = s_model,
        ["text_completion"] = s_model,
        ["embeddings"] = s_embedder,
        ["rerank"] = s_reranker,
        ["retrieval"] = s_retriever,
        ["execute_tool"] = s_tool,
        ["invoke_agent"] = s_agent,
    };

    /// <summary>Of instrumentations from before there were operations.</summary>
    private static readonly Dictionary<string, GenAiKind> s_requestTypes = new()
    {
        ["chat"] = s_model,
        ["completion"] = s_model,
        ["embedding"] = s_embedder,
        ["rerank"] = s_reranker,
    };

    /// <summary>Attributes that name the provider, the newest first.</summary>
    public static string[] ProviderKeys { get; } = ["gen_ai.provider.name", "gen_ai.system"];

    /// <summary>Null for what Genkit has no action for, such as the creation of an agent, and for spans of other conventions.</summary>
    public static GenAiKind? Of(IReadOnlyDictionary<string, AnyValue> attributes)
    {
        if (Text("gen_ai.operation.name") is { } operation)
        {
            return s_operations.GetValueOrDefault(operation);
        }

        if (Text("llm.request.type") is { } type && s_requestTypes.TryGetValue(type, out var kind))
        {
            return kind;
        }

        return Text("gen_ai.request.model") is not null && ProviderKeys.Any(attributes.ContainsKey) ? s_model : null;

        string? Text(string key) => attributes.TryGetValue(key, out var value) && value.IsString ? value.StringValue : null;
    }
}
