using System.Buffers;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>
/// Makes posts of spans: one for each trace, or more where they do not fit into one. A post says nothing of its trace but the id and the
/// spans, so that it leaves alone what the run's own span says.
/// </summary>
internal sealed class TracePosts(SpanWriter writer, long maxBytes)
{
    /// <summary>What a post takes besides its spans.</summary>
    public const int Overhead = 256;

    /// <summary>Spans of that subtype are thrown away by Genkit's telemetry server, and a post of such alone makes it take orphans for roots.</summary>
    private const string UnwantedSubtype = "prompt";

    private readonly OrderedDictionary<string, OrderedDictionary<string, ReceivedSpan>> _traces = [];

    /// <summary>Spans that are not posted.</summary>
    public long Ignored { get; private set; }

    /// <summary>Adds a span. Of two with the same id the later one counts, but not one that is running still over one that has ended.</summary>
    public void Add(ReceivedSpan span)
    {
        if (!_traces.TryGetValue(span.Run.TraceId, out var spans))
        {
            _traces[span.Run.TraceId] = spans = [];
        }

        if (span.IsEnded || !spans.TryGetValue(span.SpanId, out var earlier) || !earlier.IsEnded)
        {
            spans[span.SpanId] = span;
        }
    }

    /// <summary>
    /// Makes each when it is asked for: what all spans of a request share is in each of them, so that together they may be far larger than the request.
    /// The share of the exporter's bound that a post names has yet to be taken.
    /// </summary>
    public IEnumerable<TracePost> Build()
    {
        foreach (var (traceId, spans) in _traces)
        {
            SpanBody? body = null;
            var count = 0;
            foreach (var span in spans.Values)
            {
                var attributes = SpanAttributes.Of(span);
                if (attributes.TryGetValue("genkit:metadata:subtype", out var subtype) && subtype.StringValue == UnwantedSubtype)
                {
                    Ignored++;
                    continue;
                }

                var json = writer.Write(span, attributes);
                if (body is not null && body.Length + json.Length + Overhead > maxBytes)
                {
                    yield return Close(traceId, body, count);
                    body = null;
                    count = 0;
                }

                if (body is null)
                {
                    body = new SpanBody();
                    body.Write("{\"traceId\":"u8);
                    JsonString.Write(body, traceId);
                    body.Write(",\"spans\":{"u8);
                }
                else
                {
                    body.Write(","u8);
                }

                JsonString.Write(body, span.SpanId);
                body.Write(":"u8);
                body.Write(json.Span);
                count++;
            }

            if (body is not null)
            {
                yield return Close(traceId, body, count);
            }
        }
    }

    private static TracePost Close(string traceId, SpanBody body, int count)
    {
        body.Write("}}"u8);
        return new TracePost(traceId, body, PostContent.Spans, count, Math.Max(TraceExporter.LeastBytes, body.Length));
    }
}
