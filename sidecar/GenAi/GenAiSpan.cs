using System.Text;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.GenAi;

/// <summary>
/// Gives a span of OpenTelemetry's conventions for generative AI the attributes of a Genkit action, so that the Dev UI shows a model's
/// messages and a tool's input. What the span says of itself stays.
/// </summary>
internal static class GenAiSpan
{
    public static void AddTo(OrderedDictionary<string, AnyValue> attributes, Span span)
    {
        if (attributes.ContainsKey("genkit:type") || GenAiKind.Of(attributes) is not { } kind)
        {
            return;
        }

        var source = new GenAiSource(attributes, span.Events);
        var (input, output) = kind switch
        {
            { HasMessages: true } => (Serialized(GenAiRequest.Read(source)), Serialized(GenAiResponse.Read(source))),
            { Subtype: "tool" } => (
                AsIsOrSerialized(source.Find("gen_ai.tool.call.arguments", "traceloop.entity.input")),
                AsIsOrSerialized(source.Find("gen_ai.tool.call.result", "traceloop.entity.output"))),
            _ => (null, null),
        };
        Add("genkit:type", "action");
        Add("genkit:metadata:subtype", kind.Subtype);
        Add("genkit:name", Name(kind, source) ?? span.Name);
        Add("genkit:input", input);
        Add("genkit:output", output);
        if (span.EndTimeUnixNano > 0)
        {
            Add("genkit:state", span.Status?.Code == SpanStatusCode.Error ? "error" : "success");
        }

        void Add(string key, string? value)
        {
            if (value is not null)
            {
                attributes.TryAdd(key, AnyValueTree.String(value));
            }
        }
    }

    private static string? Name(GenAiKind kind, GenAiSource source)
    {
        if (source.Find(kind.NameKeys) is not { } name)
        {
            return null;
        }

        return kind.IsOfProvider && source.Find(GenAiKind.ProviderKeys) is { } provider
            ? $"{AnyValueJson.Text(provider)}/{AnyValueJson.Text(name)}"
            : AnyValueJson.Text(name);
    }

    private static string? Serialized(AnyValue? value) => value is null ? null : AnyValueJson.Serialize(value);

    /// <summary>A text that is JSON already as it is, for Genkit's own attributes are such texts.</summary>
    private static string? AsIsOrSerialized(AnyValue? value) =>
        value is { IsString: true } && JsonPayload.FindDefect(Encoding.UTF8.GetBytes(value.StringValue), out _) is null ? value.StringValue : Serialized(value);
}
