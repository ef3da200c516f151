using System.Text.Json.Nodes;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Tests.Otlp;

namespace Genkit.Sidecar.Tests.ApplicationTelemetry;

public class SpanWriterTests
{
    private readonly Spans _spans = new();

    [Fact]
    public void Span_WithEverything_IsWhatTheTelemetryServerTakes()
    {
        var span = _spans.Span(Spans.Pair("a", "b"));
        span.ParentSpanId = Spans.Id("1111111111111111");
        span.Kind = 3;
        span.Flags = 0x301;
        span.DroppedEventsCount = 1;
        span.Status = new SpanStatus { Code = 2, Message = "no" };
        span.Events.Add(new SpanEvent { Name = "exception", TimeUnixNano = 1_795_245_035_262_000_000, Attributes = { Spans.Pair("exception.message", "no") } });
        span.Links.Add(new SpanLink { TraceId = Spans.Id(_spans.Run.TraceId), SpanId = Spans.Id("2222222222222222"), Flags = 0x101, Attributes = { Spans.Pair("c", "d") }, DroppedAttributesCount = 3 });
        var request = Spans.Request(span);
        request.ResourceSpans[0].Resource = new Resource { Attributes = { Spans.Pair("service.name", "hello") } };
        request.ResourceSpans[0].ScopeSpans[0].Scope = new InstrumentationScope { Name = "lib", Version = "1", Attributes = { Spans.Pair("e", "f") } };
        request.ResourceSpans[0].ScopeSpans[0].SchemaUrl = "https://example.org/1";

        AssertEqual(
            """
            {
              "traceId": "0af7651916cd43dd8448eb211c80319c",
              "spans": {
                "00f067aa0ba902b7": {
                  "spanId": "00f067aa0ba902b7", "traceId": "0af7651916cd43dd8448eb211c80319c", "parentSpanId": "1111111111111111",
                  "startTime": 1795245035261, "endTime": 1795245035262.5298,
                  "attributes": {"a": "b", "scope.e": "f", "resource.service.name": "hello"},
                  "displayName": "step",
                  "links": [{
                    "context": {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "2222222222222222", "isRemote": false, "traceFlags": 1},
                    "attributes": {"c": "d"}, "droppedAttributesCount": 3
                  }],
                  "instrumentationLibrary": {"name": "lib", "version": "1", "schemaUrl": "https://example.org/1"},
                  "spanKind": "CLIENT", "sameProcessAsParentSpan": {"value": false}, "status": {"code": 2, "message": "no"},
                  "timeEvents": {"timeEvent": [{"time": 1795245035262, "annotation": {"attributes": {"exception.message": "no"}, "description": "exception"}}]},
                  "truncated": true
                }
              }
            }
            """,
            Assert.Single(_spans.Posts(request)));
    }

    [Fact]
    public void Span_WithNothing_HasWhatTheSchemaAsksFor()
    {
        var mapped = _spans.Mapped(new Span { TraceId = Spans.Id(_spans.Run.TraceId), SpanId = Spans.Id("00f067aa0ba902b7"), StartTimeUnixNano = 1_000_000 });

        AssertEqual(
            """
            {
              "spanId": "00f067aa0ba902b7", "traceId": "0af7651916cd43dd8448eb211c80319c", "parentSpanId": "b7ad6b7169203331", "startTime": 1, "endTime": 0,
              "attributes": {}, "displayName": "<unnamed>", "links": [], "instrumentationLibrary": {"name": ""}, "spanKind": "UNSPECIFIED",
              "status": {"code": 0}, "timeEvents": {"timeEvent": []}
            }
            """,
            mapped.ToJsonString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000000000000")]
    [InlineData("1111")]
    [InlineData("00f067aa0ba902b7")]
    public void Span_WithoutAParentOfItsOwn_HangsUnderTheRun(string parent)
    {
        var span = _spans.Span();
        span.ParentSpanId = Spans.Id(parent);

        Assert.Equal("b7ad6b7169203331", (string?)_spans.Mapped(span)["parentSpanId"]);
    }

    [Fact]
    public void Span_OfAnAlias_ComesHome()
    {
        const string Alias = "11111111111111111111111111111111";
        _spans.Traces.AddAlias(_spans.Run.TraceId, Alias);
        var span = _spans.Span();
        span.TraceId = Spans.Id(Alias);
        span.Links.Add(new SpanLink { TraceId = Spans.Id(Alias), SpanId = Spans.Id("2222222222222222") });

        var mapped = _spans.Mapped(span);

        Assert.Equal(_spans.Run.TraceId, (string?)mapped["traceId"]);
        Assert.Equal(_spans.Run.SpanId, (string?)mapped["parentSpanId"]);
        Assert.Equal(Alias, (string?)mapped["attributes"]!["genkit:otlp-traceId"]);
        Assert.Equal(_spans.Run.TraceId, (string?)mapped["links"]![0]!["context"]!["traceId"]);
    }

    [Theory]
    [InlineData(5_000_000, 2_000_000, 5, 5)]
    [InlineData(0, 2_000_000, 2, 2)]
    [InlineData(5_000_000, 0, 5, 0)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, 18446744073709.551615, 18446744073709.551615)]
    public void Span_OddTimes_AreShownAsTheyCan(ulong start, ulong end, double expectedStart, double expectedEnd)
    {
        var span = _spans.Span();
        (span.StartTimeUnixNano, span.EndTimeUnixNano) = (start, end);

        var mapped = _spans.Mapped(span);

        Assert.Equal((expectedStart, expectedEnd), ((double)mapped["startTime"]!, (double)mapped["endTime"]!));
    }

    [Fact]
    public void Attribute_OfAnyKind_IsPlainJson()
    {
        AnyValue[] items = [new() { IntValue = 1 }, new(), new() { StringValue = "é\"\ud800" }];

        var attributes = _spans.MappedAttributes(
            Spans.Pair("text", "\u0001"),
            Spans.Pair("bool", new AnyValue { BoolValue = false }),
            Spans.Pair("int", new AnyValue { IntValue = -9007199254740991 }),
            Spans.Pair("long", new AnyValue { IntValue = 9007199254740992 }),
            Spans.Pair("double", new AnyValue { DoubleValue = 0.1 }),
            Spans.Pair("nan", new AnyValue { DoubleValue = double.NaN }),
            Spans.Pair("infinity", new AnyValue { DoubleValue = double.NegativeInfinity }),
            Spans.Pair("bytes", new AnyValue { BytesValue = Spans.Id("00ff") }),
            Spans.Pair("none", new AnyValue()),
            Spans.Pair("unset", (AnyValue?)null),
            Spans.Pair("list", new AnyValue { ArrayValue = new ArrayValue { Values = { items } } }),
            Spans.Pair("map", new AnyValue { KvlistValue = new KeyValueList { Values = { Spans.Pair("k", items[0]) } } }),
            Spans.Pair("twice", "first"),
            Spans.Pair("twice", "last"));

        AssertEqual(
            """
            {
              "text": "\u0001", "bool": false, "int": -9007199254740991, "long": "9007199254740992", "double": 0.1, "nan": "NaN", "infinity": "-Infinity", "bytes": "AP8=",
              "none": null, "unset": null, "list": [1, null, "é\"\ufffd"], "map": {"k": 1}, "twice": "last"
            }
            """,
            attributes.ToJsonString());
    }

    [Fact]
    public void Attribute_WithTheNameOfOneOfTheResource_StaysTheSpansOwn()
    {
        var request = Spans.Request(_spans.Span(Spans.Pair("resource.a", "own")));
        request.ResourceSpans[0].Resource = new Resource { Attributes = { Spans.Pair("a", "other") } };

        Assert.Contains("\"resource.a\":\"own\"", Assert.Single(_spans.Posts(request)), StringComparison.Ordinal);
    }

    [Fact]
    public void Attributes_OfASpanThatIsTooLarge_LoseTheLargestAlone()
    {
        var large = new string('"', 400_000);
        var span = _spans.Span(Spans.Pair("a", large), Spans.Pair("genkit:input", large + large), Spans.Pair("c", "kept"));

        var mapped = _spans.Mapped(span);
        var attributes = mapped["attributes"]!.AsObject();

        Assert.Equal("kept", (string?)attributes["c"]);
        Assert.Equal(large, (string?)attributes["a"]);
        Assert.Contains("1600002 bytes", (string?)JsonNode.Parse((string)attributes["genkit:input"]!), StringComparison.Ordinal);
        Assert.True((bool)mapped["truncated"]!);
    }

    [Fact]
    public void Attributes_TooManyForAnyNote_AreLeftOutWithAMark()
    {
        var span = _spans.Span(Enumerable.Range(0, 100_000).Select(i => Spans.Pair($"attribute{i}", "small")));
        span.Name = new string('\u0001', 100_000);

        var mapped = _spans.Mapped(span);

        Assert.Empty(mapped["attributes"]!.AsObject());
        Assert.True((bool)mapped["truncated"]!);
    }

    [Fact]
    public void Spans_TooLargeTogether_AreSplitOverPosts()
    {
        var payload = new string('x', Spans.MaxBytes / 3);
        var spans = Enumerable.Range(1, 10).Select(i =>
        {
            var span = _spans.Span(Spans.Pair("a", payload));
            span.SpanId = Spans.Id($"{i:x16}");
            return span;
        });

        var posts = _spans.Posts(Spans.Request(spans));

        Assert.All(posts, post => Assert.InRange(post.Length, 1, Spans.MaxBytes));
        Assert.Equal(5, posts.Count);
        Assert.Equal(10, posts.Sum(post => JsonNode.Parse(post)!["spans"]!.AsObject().Count));
    }

    [Fact]
    public void Spans_OfTheSameId_DoNotReopenOneThatHasEnded()
    {
        var (running, ended) = (_spans.Span(), _spans.Span());
        running.EndTimeUnixNano = 0;

        var post = Assert.Single(_spans.Posts(Spans.Request(running, ended, running)));

        Assert.NotEqual(0, (double)JsonNode.Parse(post)!["spans"]!["00f067aa0ba902b7"]!["endTime"]!);
    }

    [Fact]
    public void Spans_ThatTheServerThrowsAway_AreNotPosted()
    {
        Assert.Empty(_spans.Posts(Spans.Request(_spans.Span(Spans.Pair("genkit:metadata:subtype", "prompt")))));
    }

    private static void AssertEqual(string expected, string actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)), $"Expected {JsonNode.Parse(expected)!.ToJsonString()}\nbut was  {actual}");
}
