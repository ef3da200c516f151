using System.Globalization;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.GenAi;

/// <summary>
/// Finds the messages that went to a model and came from it. Conventions have changed where those are; the newest place that has some
/// counts.
/// </summary>
internal static class GenAiMessages
{
    private const string User = "user";
    private const string Model = "model";

    /// <summary>Events that are one message each, with the role that they mean.</summary>
    private static readonly Dictionary<string, string> s_inputEvents = new()
    {
        ["gen_ai.system.message"] = "system",
        ["gen_ai.user.message"] = User,
        ["gen_ai.assistant.message"] = Model,
        ["gen_ai.tool.message"] = "tool",
    };

    private static readonly Dictionary<string, string> s_outputEvents = new() { ["gen_ai.choice"] = Model };

    /// <summary>In Genkit's shape.</summary>
    public static List<AnyValue> OfInput(GenAiSource source)
    {
        var system = source.Find("gen_ai.system_instructions") is { } instructions ? GenAiMessage.ReadAll(instructions, "system") : [];
        var messages = Find(source, "gen_ai.input.messages", "gen_ai.prompt", "gen_ai.content.prompt", s_inputEvents, User);
        return [.. system.Concat(messages).Select(message => message.Message)];
    }

    /// <summary>In Genkit's shape, each with the reason that the model gave for stopping, or null.</summary>
    public static List<(AnyValue Message, string? FinishReason)> OfOutput(GenAiSource source) =>
        [.. Find(source, "gen_ai.output.messages", "gen_ai.completion", "gen_ai.content.completion", s_outputEvents, Model)];

    private static IEnumerable<(AnyValue Message, string? FinishReason)> Find(
        GenAiSource source, string messagesKey, string textKey, string contentEvent, Dictionary<string, string> events, string role)
    {
        if (source.Find(messagesKey) is { } messages)
        {
            return GenAiMessage.ReadAll(messages, role);
        }

        if (Indexed(source, textKey) is { Count: > 0 } indexed)
        {
            return indexed.Select(message => GenAiMessage.Read(message, role));
        }

        if (source.Find(textKey) is { } text)
        {
            return GenAiMessage.ReadAll(text, role);
        }

        var content = source.Events.Where(spanEvent => spanEvent.Name == contentEvent).SelectMany(spanEvent => spanEvent.Attributes);
        return AnyValueTree.ByKey(content).TryGetValue(textKey, out var told)
            ? GenAiMessage.ReadAll(told, role)
            : source.Events.Where(spanEvent => events.ContainsKey(spanEvent.Name)).Select(spanEvent => GenAiMessage.Read(Told(spanEvent), events[spanEvent.Name]));
    }

    /// <summary>An event's own attributes, or the JSON text in one of them.</summary>
    private static AnyValue Told(SpanEvent spanEvent)
    {
        var all = new AnyValue { KvlistValue = new KeyValueList { Values = { spanEvent.Attributes } } };
        return all.Member("gen_ai.event.content") is { } content ? content.Parsed() : all;
    }

    /// <summary>Messages that are spread over attributes such as <c>gen_ai.prompt.0.role</c> and <c>gen_ai.prompt.0.tool_calls.1.name</c>.</summary>
    private static List<AnyValue> Indexed(GenAiSource source, string key)
    {
        var messages = new SortedDictionary<int, (List<(string, AnyValue?)> Members, SortedDictionary<int, List<(string, AnyValue?)>> Calls)>();
        foreach (var (name, value) in source.Attributes)
        {
            if (!name.StartsWith(key, StringComparison.Ordinal) || !TrySplit(name.AsSpan(key.Length), out var index, out var member))
            {
                continue;
            }

            if (!messages.TryGetValue(index, out var message))
            {
                messages[index] = message = ([], []);
            }

            const string Calls = "tool_calls";
            if (!member.StartsWith(Calls, StringComparison.Ordinal) || !TrySplit(member[Calls.Length..], out var callIndex, out var callMember))
            {
                message.Members.Add((member.ToString(), value));
            }
            else if (message.Calls.TryGetValue(callIndex, out var call))
            {
                call.Add((callMember.ToString(), value));
            }
            else
            {
                message.Calls[callIndex] = [(callMember.ToString(), value)];
            }
        }

        return [.. messages.Values.Select(message => AnyValueTree.Map(
            [.. message.Members, ("tool_calls", message.Calls.Count == 0 ? null : AnyValueTree.List(message.Calls.Values.Select(call => AnyValueTree.Map(call))))]))];
    }

    /// <summary>Splits <c>.0.role</c>.</summary>
    private static bool TrySplit(ReadOnlySpan<char> text, out int index, out ReadOnlySpan<char> member)
    {
        index = 0;
        member = default;
        if (text is not ['.', ..] || text[1..].IndexOf('.') is not (> 0 and var end))
        {
            return false;
        }

        member = text[(end + 2)..];
        return member.Length > 0 && int.TryParse(text.Slice(1, end), NumberStyles.None, CultureInfo.InvariantCulture, out index);
    }
}
