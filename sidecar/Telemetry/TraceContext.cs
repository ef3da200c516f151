using System.Diagnostics;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// Ids of a run's trace and root span, minted here so that the tools can cancel and feed a run before the application has
/// said a word. Sampled, as every run in a development tool is looked at.
/// </summary>
internal readonly record struct TraceContext(string TraceId, string SpanId)
{
    /// <summary>The <c>traceparent</c> header: <see href="https://www.w3.org/TR/trace-context/#traceparent-header"/>.</summary>
    public string TraceParent => $"00-{TraceId}-{SpanId}-01";

    /// <summary>
    /// The <c>tracestate</c> header. Every further hop replaces the span id of <c>traceparent</c> by its own and passes this on, so
    /// that the root stays known to spans whose parents never reach Genkit.
    /// </summary>
    public string TraceState => $"genkit-sidecar={SpanId}";

    public static TraceContext Create() =>
        new(ActivityTraceId.CreateRandom().ToHexString(), ActivitySpanId.CreateRandom().ToHexString());
}
