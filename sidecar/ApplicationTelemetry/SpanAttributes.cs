using Genkit.Sidecar.GenAi;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>The attributes that a span is shown with: its own first, which nothing replaces, then what is known besides.</summary>
internal static class SpanAttributes
{
    /// <summary>In the way of Genkit's telemetry server, where it moves a span into another trace.</summary>
    public const string OriginalTraceId = "genkit:otlp-traceId";

    public static OrderedDictionary<string, AnyValue> Of(ReceivedSpan received)
    {
        var attributes = AnyValueTree.ByKey(received.Span.Attributes);
        GenAiSpan.AddTo(attributes, received.Span);
        if (received.TraceId != received.Run.TraceId)
        {
            attributes[OriginalTraceId] = new AnyValue { StringValue = received.TraceId };
        }

        AddBesides(attributes, received.Scope.Scope, received.Resource);
        return attributes;
    }

    /// <summary>Adds what an item's library and process say of themselves, for Genkit's tools have no other place for it.</summary>
    public static void AddBesides(OrderedDictionary<string, AnyValue> attributes, InstrumentationScope? scope, Resource? resource)
    {
        Add("scope.", scope?.Attributes);
        Add("resource.", resource?.Attributes);

        void Add(string prefix, IEnumerable<KeyValue>? pairs)
        {
            foreach (var pair in pairs ?? [])
            {
                attributes.TryAdd(prefix + pair.Key, pair.Value ?? new AnyValue());
            }
        }
    }
}
