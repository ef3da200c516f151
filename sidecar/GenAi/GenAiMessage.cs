using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Google.Protobuf.Collections;

namespace Genkit.Sidecar.GenAi;

/// <summary>
/// Brings a message into Genkit's shape: a role, and a list of parts. It may be that of the conventions, of OpenAI or of Anthropic, or a
/// mere text; what is none of them is shown as text.
/// </summary>
internal static class GenAiMessage
{
    private static readonly Dictionary<string, string> s_roles = new(StringComparer.OrdinalIgnoreCase)
    {
        ["system"] = "system",
        ["developer"] = "system",
        ["user"] = "user",
        ["human"] = "user",
        ["assistant"] = "model",
        ["model"] = "model",
        ["ai"] = "model",
        ["tool"] = "tool",
        ["function"] = "tool",
    };

    /// <summary>Reads a list of messages, a list of parts of one, one message, or a text.</summary>
    /// <param name="value">Itself, or the JSON text of it.</param>
    /// <param name="role">Of what names none.</param>
    public static IEnumerable<(AnyValue Message, string? FinishReason)> ReadAll(AnyValue value, string role)
    {
        var tree = value.Parsed();
        if (tree.IsMap && tree.Member("messages") is { IsList: true } messages)
        {
            tree = messages;
        }

        if (!tree.IsList)
        {
            return [Read(tree, role)];
        }

        var items = tree.ArrayValue.Values;
        return items.Count > 0 && items.All(IsPart)
            ? [(Message(role, items.Select(GenAiPart.Read)), null)]
            : items.Select(item => Read(item, role));
    }

    /// <inheritdoc cref="ReadAll"/>
    public static (AnyValue Message, string? FinishReason) Read(AnyValue value, string role)
    {
        if (!value.IsMap || value.Member("role", "parts", "content", "message", "tool_calls") is null)
        {
            return (Message(role, [GenAiPart.Read(value)]), null);
        }

        var finishReason = value.MemberText("finish_reason");
        var message = value.Member("message")?.Parsed() is { IsMap: true } wrapped ? wrapped : value;
        var own = s_roles.GetValueOrDefault(message.MemberText("role") ?? "", role);
        var contents = Contents(message.Member("parts", "content", "message"));
        if (own == "tool" && message.Member("tool_call_id", "id") is not null && !contents.Any(IsPart))
        {
            return (Message(own, [GenAiPart.ToolResponse(message)]), finishReason);
        }

        var calls = message.Member("tool_calls")?.Parsed() is { IsList: true } list ? list.ArrayValue.Values.Select(GenAiPart.ToolRequest) : [];
        return (Message(own, contents.Select(GenAiPart.Read).Concat(calls)), finishReason);
    }

    private static bool IsPart(AnyValue value) => value.IsMap && value.Member("type") is not null && value.Member("role") is null;

    /// <summary>A text that is JSON is a text, but for one that is a list of parts: models write JSON too.</summary>
    private static RepeatedField<AnyValue> Contents(AnyValue? content)
    {
        if (content is null)
        {
            return [];
        }

        var tree = content.Parsed();
        return tree.IsList && (content.IsList || (tree.ArrayValue.Values.Count > 0 && tree.ArrayValue.Values.All(IsPart)))
            ? tree.ArrayValue.Values
            : [content];
    }

    private static AnyValue Message(string role, IEnumerable<AnyValue> parts) =>
        AnyValueTree.Map(("role", AnyValueTree.String(role)), ("content", AnyValueTree.List(parts)));
}
