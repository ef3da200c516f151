namespace Genkit.Sidecar.Metrics;

/// <summary>The type of an action as a label: a key is anyone's text, and each new label value is a series that is kept for ever.</summary>
internal static class ActionType
{
    public const string Other = "other";

    /// <summary>Those of Genkit's registry.</summary>
    private static readonly string[] s_known =
    [
        "flow", "model", "tool", "prompt", "executable-prompt", "util", "agent", "agent-snapshot", "agent-abort", "background-model", "cancel-operation",
        "check-operation", "custom", "dynamic-action-provider", "embedder", "evaluator", "indexer", "reranker", "resource", "retriever", "tool.v2",
    ];

    /// <summary>The type in a key such as <c>/flow/summarize</c>; <see cref="Other"/> where Genkit does not know it.</summary>
    public static string Of(string key)
    {
        if (!key.StartsWith('/'))
        {
            return Other;
        }

        var type = key.AsSpan(1);
        type = type.IndexOf('/') is >= 0 and var end ? type[..end] : default;
        foreach (var known in s_known)
        {
            if (type.SequenceEqual(known))
            {
                return known;
            }
        }

        return Other;
    }
}
