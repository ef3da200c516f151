using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>
/// Writes a span as <c>SpanData</c> of Genkit's telemetry server, which takes null for no member: what has no value is left out.
/// </summary>
/// <param name="traces">Where links may lead.</param>
/// <param name="maxBytes">Of one span.</param>
internal sealed class SpanWriter(KnownTraces traces, int maxBytes)
{
    private const uint TraceFlagsMask = 0xFF;
    private const uint HasIsRemoteMask = 0x100;
    private const uint IsRemoteMask = 0x200;
    private const decimal NanosecondsInMillisecond = 1_000_000;

    private static readonly string[] s_kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

    private readonly BoundedWriter _output = new(maxBytes);

    private JsonWriter Json => _output.Json;

    /// <returns>A JSON object, valid until the next one is written.</returns>
    public ReadOnlyMemory<byte> Write(ReceivedSpan span, OrderedDictionary<string, AnyValue> attributes) =>
        _output.Fit((span, attributes), pair => WriteSpan(pair.span, pair.attributes));

    private static string Kind(int kind) => kind >= 0 && kind < s_kinds.Length ? s_kinds[kind] : s_kinds[0];

    private static decimal Milliseconds(ulong nanoseconds) => nanoseconds / NanosecondsInMillisecond;

    private void WriteSpan(ReceivedSpan received, IReadOnlyDictionary<string, AnyValue> attributes)
    {
        var span = received.Span;

        // One that lacks its start is shown as an instant, and one that ends before it starts too.
        var start = span.StartTimeUnixNano == 0 ? span.EndTimeUnixNano : span.StartTimeUnixNano;
        Json.StartObject();
        Json.Text("spanId", received.SpanId);
        Json.Text("traceId", received.Run.TraceId);
        Json.Text("parentSpanId", received.ParentSpanId);
        Number("startTime", Milliseconds(start));
        Number("endTime", received.IsEnded ? Milliseconds(Math.Max(start, span.EndTimeUnixNano)) : 0);
        Json.Name("attributes");
        WriteAttributes(_output.IsBare ? [] : attributes);
        Json.Text("displayName", span.Name.Length == 0 ? "<unnamed>" : BoundedWriter.Cut(span.Name));
        WriteLinks(span);
        WriteScope(received.Scope);
        Json.Text("spanKind", Kind(span.Kind));
        if ((span.Flags & HasIsRemoteMask) != 0)
        {
            Json.Name("sameProcessAsParentSpan");
            Json.StartObject();
            Json.Name("value");
            Json.Boolean((span.Flags & IsRemoteMask) == 0);
            Json.EndObject();
        }

        WriteStatus(span.Status);
        WriteEvents(span);

        // Last, as only now it is known.
        if (_output.IsBare || _output.HasNotes || HasDropped(span))
        {
            Json.Name("truncated");
            Json.Boolean(true);
        }

        Json.EndObject();
    }

    /// <summary>Whether the application's SDK left something out.</summary>
    private static bool HasDropped(Span span) =>
        span.DroppedAttributesCount > 0 || span.DroppedEventsCount > 0 || span.DroppedLinksCount > 0
        || span.Events.Any(spanEvent => spanEvent.DroppedAttributesCount > 0);

    private void WriteAttributes(IEnumerable<KeyValuePair<string, AnyValue>> attributes)
    {
        Json.StartObject();
        foreach (var (key, value) in attributes)
        {
            Json.Name(key);
            _output.Value(key, value, AnyValueJson.Write);
        }

        Json.EndObject();
    }

    private void WriteLinks(Span span)
    {
        Json.Name("links");
        Json.StartArray();
        foreach (var link in _output.IsBare ? [] : span.Links)
        {
            var traceId = Convert.ToHexStringLower(link.TraceId.Span);
            Json.StartObject();
            Json.Name("context");
            Json.StartObject();
            Json.Text("traceId", traces.TryFind(traceId, out var run) ? run.Value.TraceId : traceId);
            Json.Text("spanId", Convert.ToHexStringLower(link.SpanId.Span));
            if ((link.Flags & HasIsRemoteMask) != 0)
            {
                Json.Name("isRemote");
                Json.Boolean((link.Flags & IsRemoteMask) != 0);
            }

            Number("traceFlags", link.Flags & TraceFlagsMask);
            Json.EndObject();
            Json.Name("attributes");
            WriteAttributes(AnyValueTree.ByKey(link.Attributes));
            if (link.DroppedAttributesCount > 0)
            {
                Number("droppedAttributesCount", link.DroppedAttributesCount);
            }

            Json.EndObject();
        }

        Json.EndArray();
    }

    private void WriteScope(ScopeSpans spans)
    {
        Json.Name("instrumentationLibrary");
        Json.StartObject();
        Json.Text("name", BoundedWriter.Cut(spans.Scope?.Name ?? ""));
        if (spans.Scope is { Version.Length: > 0 } scope)
        {
            Json.Text("version", BoundedWriter.Cut(scope.Version));
        }

        if (spans.SchemaUrl.Length > 0)
        {
            Json.Text("schemaUrl", BoundedWriter.Cut(spans.SchemaUrl));
        }

        Json.EndObject();
    }

    private void WriteStatus(SpanStatus? status)
    {
        Json.Name("status");
        Json.StartObject();
        Number("code", status?.Code is SpanStatusCode.Ok or SpanStatusCode.Error ? status.Code : SpanStatusCode.Unset);
        if (status is { Message.Length: > 0 })
        {
            Json.Text("message", BoundedWriter.Cut(status.Message));
        }

        Json.EndObject();
    }

    private void WriteEvents(Span span)
    {
        Json.Name("timeEvents");
        Json.StartObject();
        Json.Name("timeEvent");
        Json.StartArray();
        foreach (var spanEvent in _output.IsBare ? [] : span.Events)
        {
            Json.StartObject();
            Number("time", Milliseconds(spanEvent.TimeUnixNano));
            Json.Name("annotation");
            Json.StartObject();
            Json.Name("attributes");
            WriteAttributes(AnyValueTree.ByKey(spanEvent.Attributes));
            Json.Text("description", BoundedWriter.Cut(spanEvent.Name));
            Json.EndObject();
            Json.EndObject();
        }

        Json.EndArray();
        Json.EndObject();
    }

    private void Number(string name, decimal number)
    {
        Json.Name(name);
        Json.Number(number);
    }
}
