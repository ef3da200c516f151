using System.Globalization;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.GenAi;

/// <summary>What a model answered, in the shape of Genkit's <c>GenerateResponse</c>.</summary>
internal static class GenAiResponse
{
    private static readonly (string Name, string[] Keys)[] s_usage =
    [
        ("inputTokens", ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]),
        ("outputTokens", ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]),
        ("totalTokens", ["gen_ai.usage.total_tokens", "llm.usage.total_tokens"]),
        ("thoughtsTokens", ["gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"]),
        ("cachedContentTokens", ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"]),
    ];

    private static readonly Dictionary<string, string> s_finishReasons = new(StringComparer.OrdinalIgnoreCase)
    {
        ["stop"] = "stop",
        ["end_turn"] = "stop",
        ["stop_sequence"] = "stop",
        ["tool_call"] = "stop",
        ["tool_calls"] = "stop",
        ["tool_use"] = "stop",
        ["length"] = "length",
        ["max_tokens"] = "length",
        ["content_filter"] = "blocked",
        ["safety"] = "blocked",
        ["refusal"] = "blocked",
    };

    /// <summary>Null if nothing is known of it.</summary>
    public static AnyValue? Read(GenAiSource source)
    {
        var messages = GenAiMessages.OfOutput(source);
        var usage = AnyValueTree.Map(source.Members(s_usage).Select(member => (member.Name, Number(member.Value!))));
        var hasUsage = usage.KvlistValue.Values.Count > 0;
        var reason = messages.Select(message => message.FinishReason).FirstOrDefault(reason => reason is not null) ?? ReasonOf(source);
        if (messages.Count == 0 && !hasUsage && reason is null)
        {
            return null;
        }

        return AnyValueTree.Map(
            ("message", messages.Count > 0 ? messages[0].Message : null),
            ("candidates", messages.Count > 1 ? AnyValueTree.List(messages.Select(Candidate)) : null),
            ("finishReason", reason is null ? null : FinishReason(reason)),
            ("usage", hasUsage ? usage : null));
    }

    private static AnyValue Candidate((AnyValue Message, string? FinishReason) choice, int index) => AnyValueTree.Map(
        ("index", new AnyValue { IntValue = index }),
        ("message", choice.Message),
        ("finishReason", FinishReason(choice.FinishReason ?? "")));

    private static AnyValue FinishReason(string reason) =>
        AnyValueTree.String(s_finishReasons.GetValueOrDefault(reason, reason.Length == 0 ? "unknown" : "other"));

    private static string? ReasonOf(GenAiSource source)
    {
        var reasons = source.Find("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason")?.Parsed();
        var reason = reasons is { IsList: true } ? reasons.ArrayValue.Values.FirstOrDefault() : reasons;
        return reason is { IsString: true } ? reason.StringValue : null;
    }

    /// <summary>Null for what is none: Genkit knows counts only.</summary>
    private static AnyValue? Number(AnyValue value) => value switch
    {
        { ValueCase: AnyValue.ValueOneofCase.IntValue or AnyValue.ValueOneofCase.DoubleValue } => value,
        { IsString: true } when long.TryParse(value.StringValue, CultureInfo.InvariantCulture, out var number) => new AnyValue { IntValue = number },
        _ => null,
    };
}
