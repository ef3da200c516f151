using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>The spans of a request, by what can be done with them.</summary>
internal sealed class SortedSpans
{
    private readonly List<ReceivedSpan> _ofRuns = [];

    public SortedSpans(ExportTraceServiceRequest request, KnownTraces traces)
    {
        foreach (var resource in request.ResourceSpans)
        {
            foreach (var scope in resource.ScopeSpans)
            {
                foreach (var span in scope.Spans)
                {
                    Add(span, scope, resource.Resource, traces);
                }
            }
        }
    }

    public IReadOnlyList<ReceivedSpan> OfRuns => _ofRuns;

    /// <summary>Spans outside known runs. They are valid and are not posted.</summary>
    public long Unknown { get; private set; }

    /// <summary>The trace of one of those.</summary>
    public string? UnknownTraceId { get; private set; }

    /// <summary>Spans that cannot be shown.</summary>
    public long Rejected { get; private set; }

    /// <summary>Why the first of those cannot; empty if there is none.</summary>
    public string Problem { get; private set; } = "";

    public long Count => OfRuns.Count + Unknown + Rejected;

    private void Add(Span span, ScopeSpans scope, Resource? resource, KnownTraces traces)
    {
        if (HexId.Of(span.TraceId, HexId.TraceBytes) is not { } traceId)
        {
            Reject("its trace id is not of 16 bytes, or all of them are 0");
        }
        else if (HexId.Of(span.SpanId, HexId.SpanBytes) is not { } spanId)
        {
            Reject("its span id is not of 8 bytes, or all of them are 0");
        }
        else if (span.StartTimeUnixNano == 0 && span.EndTimeUnixNano == 0)
        {
            Reject("it has neither a start nor an end time");
        }
        else if (!traces.TryFind(traceId, out var run))
        {
            Unknown++;
            UnknownTraceId = traceId;
        }
        else if (spanId == run.Value.SpanId)
        {
            Reject("it has the span id of the run's own span, which the sidecar writes");
        }
        else
        {
            _ofRuns.Add(new ReceivedSpan(span, run.Value, traceId, spanId, resource, scope));
        }
    }

    private void Reject(string problem)
    {
        if (Rejected++ == 0)
        {
            Problem = $"A span was rejected: {problem}";
        }
    }
}
