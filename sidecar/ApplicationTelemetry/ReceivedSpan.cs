using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>A span of the application that belongs to a run.</summary>
/// <param name="Span">As it came.</param>
/// <param name="Run">The run's trace and root span.</param>
/// <param name="TraceId">As it came: the run's, or an alias of it.</param>
/// <param name="SpanId">16 hex digits.</param>
/// <param name="Resource">What exported it; null if it does not say.</param>
/// <param name="Scope">Its neighbours, of which only the library that made them is read.</param>
internal sealed record ReceivedSpan(Span Span, TraceContext Run, string TraceId, string SpanId, Resource? Resource, ScopeSpans Scope)
{
    public bool IsEnded => Span.EndTimeUnixNano > 0;

    /// <summary>The root span for a span that has no usable parent.</summary>
    public string ParentSpanId =>
        HexId.Of(Span.ParentSpanId, HexId.SpanBytes) is { } parent && parent != SpanId ? parent : Run.SpanId;
}
