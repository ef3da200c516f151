using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.ApplicationTelemetry;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Tests.Infrastructure;
using Genkit.Sidecar.Tests.Telemetry;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Genkit.Sidecar.Tests.Otlp;

/// <summary>Both encodings decode to the same request, and no input causes an unexpected exception.</summary>
public class OtlpRequestTests
{
    private const long MaxDecodedBytes = 4 * 1024 * 1024;

    private readonly Spans _spans = new();

    public static TheoryData<string> JsonFiles =>
        [.. Directory.EnumerateFiles(TestData.JsonTestSuite).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Request_InProtobufAndInJson_GivesTheSamePosts()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var requests = new RandomRequests(new Random(seed), _spans.Run.TraceId);
            var traces = requests.Traces();
            var logs = requests.Logs();

            var posts = _spans.Posts(Traces(OtlpEncoding.Protobuf, Bytes(traces)));
            var records = LogPosts(Logs(OtlpEncoding.Protobuf, Bytes(logs)));

            Assert.Equal(posts, _spans.Posts(Traces(OtlpEncoding.Json, Json(OtlpText.Of(traces)))));
            Assert.Equal(records, LogPosts(Logs(OtlpEncoding.Json, Json(OtlpText.Of(logs)))));
            Assert.All(posts.Concat(records), post => JsonDocument.Parse(post).Dispose());
        }
    }

    [Fact]
    public void Json_OfTheSpecificationsExample_IsRead()
    {
        const string Example =
            """
            {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]}, "unknown": [{"a": null}],
              "scopeSpans": [{"scope": {"name": "my.library", "version": "1.0.0", "attributes": null}, "spans": [{
                "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": "EEE19B7EC3C1B173", "name": "I'm a server span",
                "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1544712661000000000, "kind": 2, "status": {"code": 1},
                "attributes": [{"key": "a", "value": {"intValue": "1"}}, {"key": "b", "value": {"intValue": 2}}, {"key": "c", "value": {"doubleValue": "NaN"}}, {"key": "d", "value": {"bytesValue": "AP8="}}]}]}]}]}
            """;

        var resource = Assert.Single(Traces(OtlpEncoding.Json, Json(Example)).ResourceSpans);
        var span = Assert.Single(Assert.Single(resource.ScopeSpans).Spans);

        Assert.Equal("my.service", resource.Resource.Attributes[0].Value.StringValue);
        Assert.Equal(Spans.Id("5b8efff798038103d269b633813fc60c"), span.TraceId);
        Assert.Equal((1544712660000000000ul, 1544712661000000000ul), (span.StartTimeUnixNano, span.EndTimeUnixNano));
        Assert.Equal((2, 1), (span.Kind, span.Status.Code));
        Assert.Equal([1, 2], span.Attributes.Take(2).Select(pair => pair.Value.IntValue));
        Assert.True(double.IsNaN(span.Attributes[2].Value.DoubleValue));
        Assert.Equal(Spans.Id("00ff"), span.Attributes[3].Value.BytesValue);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("{} {}")]
    [InlineData("""{"resourceSpans": {}}""")]
    [InlineData("""{"resourceSpans": [null]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "abc"}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SPAN_KIND_SERVER"}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 1.5}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 4294967296}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 1}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"value": {"bytesValue": "?"}}]}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"value": {"boolValue": "true"}}]}]}]}]}""")]
    [InlineData("""{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"value": {"doubleValue": true}}]}]}]}]}""")]
    public void Json_OfAnotherForm_IsMalformed(string json)
    {
        var exception = Assert.Throws<InvalidDataException>(() => Traces(OtlpEncoding.Json, Json(json)));

        Assert.StartsWith("The request is not OTLP in JSON", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_LoneSurrogate_IsShownAsAReplacement()
    {
        const string Json = """{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7", "startTimeUnixNano": 1, "name": "\ud800\n\u0041é\"", "\udc00": 1}]}]}]}""";

        var post = Assert.Single(_spans.Posts(Traces(OtlpEncoding.Json, OtlpRequestTests.Json(Json))));

        Assert.Contains("\"displayName\":\"\ufffd\\nAé\\\"\"", post, StringComparison.Ordinal);
    }

    [Fact]
    public void Request_NestedTooDeep_IsMalformedAndOneLessIsNot()
    {
        foreach (var decode in (Func<int, ExportTraceServiceRequest>[])
            [
                lists => Traces(OtlpEncoding.Protobuf, Bytes(Nested(lists))),
                lists => Traces(OtlpEncoding.Json, Json(OtlpText.Of(Nested(lists)))),
            ])
        {
            // Resource, scope, span, attribute and value come first. Each list is two messages.
            Assert.Single(_spans.Posts(decode(47)));
            Assert.Throws<InvalidDataException>(() => decode(48));
            Assert.Throws<InvalidDataException>(() => decode(150));
        }
    }

    [Fact]
    public void Json_MembersThatNobodyKnows_MayBeDeep()
    {
        var deep = $$"""{"x": {{new string('[', 10_000)}}{{new string(']', 10_000)}}}""";

        Assert.Empty(Traces(OtlpEncoding.Json, Json(deep)).ResourceSpans);
    }

    [Fact]
    public void Protobuf_CutAnywhereOrChangedAnywhere_IsReadOrMalformed()
    {
        var random = new Random(1);
        var bytes = Bytes(new RandomRequests(new Random(7), _spans.Run.TraceId).Traces()).ToArray();
        Assert.InRange(bytes.Length, 500, int.MaxValue);
        for (var length = 0; length < bytes.Length; length++)
        {
            AssertSurvives(OtlpEncoding.Protobuf, bytes.AsMemory(0, length));
            var changed = bytes.ToArray();
            changed[length] = (byte)random.Next(256);
            AssertSurvives(OtlpEncoding.Protobuf, changed);
        }
    }

    [Fact]
    public void Json_CutAnywhereOrChangedAnywhere_IsReadOrMalformed()
    {
        var random = new Random(1);
        var bytes = Encoding.UTF8.GetBytes(OtlpText.Of(new RandomRequests(new Random(7), _spans.Run.TraceId).Traces()));
        for (var length = 0; length < bytes.Length; length += 3)
        {
            AssertSurvives(OtlpEncoding.Json, bytes.AsMemory(0, length));
            var changed = bytes.ToArray();
            changed[length] = (byte)random.Next(256);
            AssertSurvives(OtlpEncoding.Json, changed);
        }
    }

    [Fact]
    public void Bytes_AtRandom_AreReadOrMalformed()
    {
        var random = new Random(2);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            AssertSurvives(OtlpEncoding.Protobuf, bytes);
            AssertSurvives(OtlpEncoding.Json, bytes);
        }
    }

    [Theory]
    [InlineData("\"attributes\":[", "{}", 64)]
    [InlineData("\"attributes\":[{\"value\":{\"arrayValue\":{\"values\":[", "{}", 64)]
    [InlineData("\"links\":[", "{}", 256)]
    [InlineData("\"events\":[", "{}", 256)]
    public void Request_OfMoreValuesThanItMayHave_IsMalformedBeforeTheyAreDecoded(string open, string item, int bytes)
    {
        // Two bytes each in Protobuf, three in JSON.
        var many = (int)(MaxDecodedBytes / bytes) + 1;
        var close = string.Concat(open.Reverse().Select(character => character switch { '[' => "]", '{' => "}", _ => "" }));
        var json = Json($$"""{"resourceSpans":[{"scopeSpans":[{"spans":[{{{open}}{{string.Join(',', Enumerable.Repeat(item, many))}}{{close}}}]}]}]}""");
        var protobuf = Bytes(OtlpRequest.Traces(OtlpEncoding.Json, json, long.MaxValue));
        foreach (var (encoding, request) in new[] { (OtlpEncoding.Json, json), (OtlpEncoding.Protobuf, protobuf) })
        {
            var exception = Assert.Throws<InvalidDataException>(() => Traces(encoding, request));

            Assert.Contains("--otlp-max-request-bytes", exception.Message, StringComparison.Ordinal);
            OtlpRequest.Traces(encoding, request, MaxDecodedBytes + (16 * DecodedSize.MessageBytes));
        }
    }

    [Fact]
    public void Size_OfAnything_IsThatOfItsMessages()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var requests = new RandomRequests(new Random(seed), _spans.Run.TraceId);
            var traces = requests.Traces();
            var logs = requests.Logs();

            Assert.Equal(SizeOfParts(traces), DecodedSize.Of(DecodedSize.Traces, Bytes(traces)));
            Assert.Equal(SizeOfParts(logs), DecodedSize.Of(DecodedSize.Logs, Bytes(logs)));
        }
    }

    [Theory]
    [MemberData(nameof(JsonFiles))]
    public void JsonTestSuite_AsRequestOrAsContent_IsReadOrMalformed(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(TestData.JsonTestSuite, name + ".json"));
        AssertSurvives(OtlpEncoding.Json, bytes);
        foreach (var key in (string[])["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions", "gen_ai.response.finish_reasons", "gen_ai.prompt.0.content"])
        {
            var span = _spans.Span(Spans.Pair("gen_ai.operation.name", "chat"), Spans.Pair(key, Encoding.Latin1.GetString(bytes)));
            JsonDocument.Parse(Assert.Single(_spans.Posts(Spans.Request(span)))).Dispose();
        }
    }

    private static ExportTraceServiceRequest Traces(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes) => OtlpRequest.Traces(encoding, bytes, MaxDecodedBytes);

    private static ExportLogsServiceRequest Logs(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes) => OtlpRequest.Logs(encoding, bytes, MaxDecodedBytes);

    private static ExportMetricsServiceRequest Metrics(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes) => OtlpRequest.Metrics(encoding, bytes, MaxDecodedBytes);

    private static ReadOnlySequence<byte> Bytes(IMessage message) => new(message.ToByteArray());

    private static ReadOnlySequence<byte> Json(string json) => new(Encoding.UTF8.GetBytes(json));

    /// <summary>Adds up the decoded size of all nested messages, found by Protobuf's reflection.</summary>
    private static long SizeOfParts(IMessage message) => message.Descriptor.Fields.InFieldNumberOrder()
        .Where(field => field.FieldType == FieldType.Message)
        .Select(field => field.Accessor.GetValue(message))
        .SelectMany(value => value switch { IMessage one => [one], System.Collections.IEnumerable list => list.Cast<IMessage>(), _ => (IEnumerable<IMessage>)[] })
        .Sum(part => SizeOfParts(part) + (part is KeyValue or AnyValue ? DecodedSize.ValueBytes : DecodedSize.MessageBytes));

    private ExportTraceServiceRequest Nested(int lists)
    {
        var value = new AnyValue { IntValue = 1 };
        for (var i = 0; i < lists; i++)
        {
            value = new AnyValue { ArrayValue = new ArrayValue { Values = { value } } };
        }

        return Spans.Request(_spans.Span(Spans.Pair("a", value)));
    }

    private List<string> LogPosts(ExportLogsServiceRequest request)
    {
        var posts = new LogPosts(new LogWriter(_spans.Traces, Spans.MaxBytes / 2), Spans.MaxBytes);
        return [.. posts.Build(request).Select(post => SpanText.Of(post.Body))];
    }

    /// <summary>Reads the bytes as each signal and maps the result. Asserts that posts are valid JSON and that no other exception than for invalid data is thrown.</summary>
    private void AssertSurvives(OtlpEncoding encoding, ReadOnlyMemory<byte> bytes)
    {
        var random = new Random(bytes.Length);
        var request = Sequences.Randomly(random, bytes, 3);
        foreach (var read in (Func<List<string>>[])
            [
                () => _spans.Posts(Traces(encoding, request)),
                () => LogPosts(Logs(encoding, request)),
                () => [.. Metrics(encoding, request).ResourceMetrics.Select(_ => "{}")],
            ])
        {
            try
            {
                Assert.All(read(), post => JsonDocument.Parse(post).Dispose());
            }
            catch (InvalidDataException)
            {
                // Expected for invalid data.
            }
        }
    }
}
