using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.GenAi;

/// <summary>Where a span of generative AI says what it is about: in its attributes, or in those of an event that has all the details.</summary>
internal sealed class GenAiSource(IReadOnlyDictionary<string, AnyValue> attributes, IReadOnlyList<SpanEvent> events)
{
    private readonly OrderedDictionary<string, AnyValue> _details =
        AnyValueTree.ByKey(events.Where(spanEvent => spanEvent.Name == "gen_ai.client.inference.operation.details").SelectMany(spanEvent => spanEvent.Attributes));

    public IReadOnlyDictionary<string, AnyValue> Attributes => attributes;

    public IReadOnlyList<SpanEvent> Events => events;

    /// <summary>The first of these that has a value; null if none has.</summary>
    public AnyValue? Find(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if ((attributes.TryGetValue(key, out var value) || _details.TryGetValue(key, out value)) && value.ValueCase != AnyValue.ValueOneofCase.None)
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>The members that have a value under one of their keys.</summary>
    public IEnumerable<(string Name, AnyValue? Value)> Members(IEnumerable<(string Name, string[] Keys)> table) =>
        table.Select(row => (row.Name, Find(row.Keys))).Where(member => member.Item2 is not null);
}
