using System.Text.Json.Nodes;
using Genkit.Sidecar.ApplicationTelemetry;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Tests.Otlp;
using Genkit.Sidecar.Tests.Telemetry;

namespace Genkit.Sidecar.Tests.ApplicationTelemetry;

public class LogPostsTests
{
    private readonly Spans _spans = new();

    [Fact]
    public void Record_WithEverything_IsWhatTheTelemetryServerReads()
    {
        var record = new LogRecord
        {
            TimeUnixNano = 1_795_245_035_261_000_000,
            ObservedTimeUnixNano = 1_795_245_035_262_000_000,
            SeverityNumber = 10,
            Body = new AnyValue { KvlistValue = new KeyValueList { Values = { Spans.Pair("a", new AnyValue { DoubleValue = double.NaN }) } } },
            Attributes = { Spans.Pair("long", new AnyValue { IntValue = long.MaxValue }), Spans.Pair("list", new AnyValue { ArrayValue = new ArrayValue { Values = { new AnyValue { BoolValue = true }, new AnyValue() } } }) },
            TraceId = Spans.Id(_spans.Run.TraceId),
            SpanId = Spans.Id("00f067aa0ba902b7"),
            EventName = "happened",
        };

        AssertEqual(
            """
            {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "lib", "version": "1"}, "logRecords": [{
              "timeUnixNano": "1795245035261000000", "observedTimeUnixNano": "1795245035262000000", "severityNumber": 10, "severityText": "INFO",
              "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7", "body": {"stringValue": "{\"a\":\"NaN\"}"},
              "attributes": [
                {"key": "long", "value": {"stringValue": "9223372036854775807"}}, {"key": "list", "value": {"arrayValue": {"values": [{"boolValue": true}, {}]}}},
                {"key": "event.name", "value": {"stringValue": "happened"}}, {"key": "resource.service.name", "value": {"stringValue": "hello"}}
              ]
            }]}]}]}
            """,
            Assert.Single(Posts(new ScopeLogs { Scope = new InstrumentationScope { Name = "lib", Version = "1" }, LogRecords = { record } })));
    }

    [Fact]
    public void Record_WithNothing_HasATimeAndNoIds()
    {
        AssertEqual(
            """{"resourceLogs": [{"scopeLogs": [{"scope": {"name": ""}, "logRecords": [{"timeUnixNano": "0", "attributes": [{"key": "resource.service.name", "value": {"stringValue": "hello"}}]}]}]}]}""",
            Assert.Single(Posts(new ScopeLogs { LogRecords = { new LogRecord { TraceId = Spans.Id("00") } } })));
    }

    [Fact]
    public void Record_OfAnAlias_ComesHome()
    {
        const string Alias = "11111111111111111111111111111111";
        _spans.Traces.AddAlias(_spans.Run.TraceId, Alias);

        var record = JsonNode.Parse(Assert.Single(Posts(new ScopeLogs { LogRecords = { new LogRecord { TraceId = Spans.Id(Alias) } } })))!["resourceLogs"]![0]!["scopeLogs"]![0]!["logRecords"]![0]!;

        Assert.Equal(_spans.Run.TraceId, (string?)record["traceId"]);
        Assert.Equal(Alias, (string?)record["attributes"]![0]!["value"]!["stringValue"]);
    }

    [Fact]
    public void Records_TooLargeTogetherOrAlone_AreSplitOrCut()
    {
        var large = Enumerable.Repeat(new LogRecord { Body = new AnyValue { StringValue = new string('x', 400_000) } }, 4);
        var larger = new LogRecord { Body = new AnyValue { StringValue = new string('x', 2 * Spans.MaxBytes) }, SeverityText = "kept" };

        var posts = Posts(new ScopeLogs { LogRecords = { large, larger } }, new ScopeLogs(), new ScopeLogs { LogRecords = { new LogRecord(), new LogRecord() } });

        Assert.All(posts, post => Assert.InRange(post.Length, 1, Spans.MaxBytes));
        Assert.Equal(7, posts.Sum(post => JsonNode.Parse(post)!["resourceLogs"]![0]!["scopeLogs"]!.AsArray().Sum(scope => scope!["logRecords"]!.AsArray().Count)));
        Assert.Contains("<left out of the trace", posts[^1], StringComparison.Ordinal);
        Assert.Contains("\"kept\"", posts[^1], StringComparison.Ordinal);
    }

    private static void AssertEqual(string expected, string actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)), $"Expected {JsonNode.Parse(expected)!.ToJsonString()}\nbut was  {actual}");

    private List<string> Posts(params IEnumerable<ScopeLogs> scopes)
    {
        var posts = new LogPosts(new LogWriter(_spans.Traces, Spans.MaxBytes - LogPosts.Overhead), Spans.MaxBytes);
        var resource = new ResourceLogs { Resource = new Resource { Attributes = { Spans.Pair("service.name", "hello") } }, ScopeLogs = { scopes } };
        return [.. posts.Build(new ExportLogsServiceRequest { ResourceLogs = { resource } }).Select(post => SpanText.Of(post.Body))];
    }
}
