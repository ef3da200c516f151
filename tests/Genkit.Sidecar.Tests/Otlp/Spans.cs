using System.Text.Json.Nodes;
using Genkit.Sidecar.ApplicationTelemetry;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;
using Genkit.Sidecar.Tests.Telemetry;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Otlp;

/// <summary>Spans of one run, and the posts that they are mapped to.</summary>
internal sealed class Spans
{
    public const int MaxBytes = 1024 * 1024;

    public Spans() => Traces.Begin(Run);

    public TraceContext Run { get; } = new("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

    public KnownTraces Traces { get; } = new(NullLogger<KnownTraces>.Instance);

    public static ByteString Id(string hex) => ByteString.CopyFrom(Convert.FromHexString(hex));

    public static KeyValue Pair(string key, AnyValue? value) => new() { Key = key, Value = value };

    public static KeyValue Pair(string key, string value) => new() { Key = key, Value = new AnyValue { StringValue = value } };

    public static ExportTraceServiceRequest Request(params IEnumerable<Span> spans) =>
        new() { ResourceSpans = { new ResourceSpans { ScopeSpans = { new ScopeSpans { Spans = { spans } } } } } };

    /// <summary>A valid span.</summary>
    public Span Span(params IEnumerable<KeyValue> attributes) => new()
    {
        TraceId = Id(Run.TraceId),
        SpanId = Id("00f067aa0ba902b7"),
        Name = "step",
        Kind = 1,
        StartTimeUnixNano = 1_795_245_035_261_000_000,
        EndTimeUnixNano = 1_795_245_035_262_529_800,
        Attributes = { attributes },
    };

    public SortedSpans Sort(ExportTraceServiceRequest request) => new(request, Traces);

    /// <summary>The bodies of the posts.</summary>
    public List<string> Posts(ExportTraceServiceRequest request, int maxBytes = MaxBytes)
    {
        var builder = new TracePosts(new SpanWriter(Traces, maxBytes - TracePosts.Overhead), maxBytes);
        foreach (var span in Sort(request).OfRuns)
        {
            builder.Add(span);
        }

        return [.. builder.Build().Select(post => SpanText.Of(post.Body))];
    }

    /// <summary>Asserts that there is one post with one span and returns that span.</summary>
    public JsonObject Mapped(Span span, int maxBytes = MaxBytes)
    {
        var post = JsonNode.Parse(Assert.Single(Posts(Request(span), maxBytes)))!;
        Assert.Equal(Run.TraceId, (string?)post["traceId"]);
        Assert.Equal(2, post.AsObject().Count);
        var (id, mapped) = Assert.Single(post["spans"]!.AsObject());
        Assert.Equal((string?)mapped!["spanId"], id);
        return mapped.AsObject();
    }

    public JsonObject MappedAttributes(params IEnumerable<KeyValue> attributes) => Mapped(Span(attributes))["attributes"]!.AsObject();
}
