using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Genkit.Sidecar.Telemetry;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Telemetry;

public class RootSpanWriterTests
{
    private const long MaxBytes = 1024 * 1024;

    private static readonly HashSet<string> s_own =
    [
        "genkit:type", "genkit:metadata:subtype", "genkit:key", "genkit:name", "genkit:isRoot", "genkit:path", "genkit:metadata:context",
        "genkit:input", "genkit:init", "genkit:output", "genkit:state", "genkit:isFailureSource",
    ];

    public static TheoryData<string> Scenarios => [.. TestData.GoldenTraces.Keys];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Span_OfAGoldenRun_IsWhatTheJavaScriptRuntimePosts(string scenario)
    {
        var golden = TestData.GoldenTraces[scenario];
        var writer = new RootSpanWriter(RunOf(golden), Time(golden.Span["startTime"]!), MaxBytes);
        writer.WriteStart();
        var end = Time(golden.Span["endTime"]!);
        if (end == DateTimeOffset.UnixEpoch)
        {
            writer.WriteRunning();
        }
        else
        {
            writer.WriteNames();
            Write(writer, "\"genkit:metadata:context\""u8, golden);
            Write(writer, "\"genkit:input\""u8, golden);
            Write(writer, "\"genkit:init\""u8, golden);
            Write(writer, "\"genkit:output\""u8, golden);
            writer.WriteEnd(end, FailureOf(golden));
        }

        AdaptToSidecar(golden);

        var written = JsonNode.Parse(SpanText.Of(writer.Body));
        Assert.True(JsonNode.DeepEquals(golden.Body, written), $"{golden.Body.ToJsonString()}\n{written!.ToJsonString()}");
    }

    [Fact]
    public void Span_PayloadOverTheBound_HasANoteThatIsJson()
    {
        var writer = new RootSpanWriter(new RootSpanStart(new TraceContext("t", "s"), "/flow/a"), DateTimeOffset.UnixEpoch, MaxBytes);
        writer.WriteStart();
        writer.WritePayload("\"genkit:input\""u8, new ReadOnlySequence<byte>(new byte[MaxBytes]), _ => throw new InvalidOperationException("It does not fit"));
        writer.WritePayload("\"genkit:init\""u8, Json("1"), bytes => bytes > 1);
        writer.WritePayload("\"genkit:output\""u8, Json("""{"a":1}"""), _ => true);
        writer.WriteEnd(DateTimeOffset.UnixEpoch, null);

        var attributes = SpanText.Attributes(writer.Body);
        Assert.Contains("1048576 bytes", Parsed(attributes, "genkit:input"), StringComparison.Ordinal);
        Assert.Contains("--telemetry-max-span-bytes", Parsed(attributes, "genkit:input"), StringComparison.Ordinal);
        Assert.Contains("--telemetry-max-queue-bytes", Parsed(attributes, "genkit:init"), StringComparison.Ordinal);
        Assert.Equal("""{"a":1}""", Parsed(attributes, "genkit:output"));
    }

    [Fact]
    public void Span_PayloadThatEscapingMakesTooLong_HasANote()
    {
        var writer = new RootSpanWriter(new RootSpanStart(new TraceContext("t", "s"), "/flow/a"), DateTimeOffset.UnixEpoch, MaxBytes);
        writer.WriteStart();
        writer.WritePayload("\"genkit:input\""u8, Json($"[{string.Join(',', Enumerable.Repeat("\"\"", 130_000))}]"), _ => true);
        writer.WriteEnd(DateTimeOffset.UnixEpoch, null);

        Assert.Contains("left out", Parsed(SpanText.Attributes(writer.Body), "genkit:input"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/flow/a", "flow", "a", "/{a,t:flow}")]
    [InlineData("/model/x/y", "model", "x/y", "/{x/y,t:action}")]
    [InlineData("a", null, "a", "/{a,t:action}")]
    [InlineData("//a", null, "//a", "/{//a,t:action}")]
    [InlineData("/flow/", null, "/flow/", "/{/flow/,t:action}")]
    public void Span_Key_GivesTypeNameAndPath(string key, string? subtype, string name, string path)
    {
        var attributes = AttributesOf(new RootSpanStart(new TraceContext("t", "s"), key), null);

        Assert.Equal(subtype, (string?)attributes["genkit:metadata:subtype"]);
        Assert.Equal(name, (string?)attributes["genkit:name"]);
        Assert.Equal(path, (string?)attributes["genkit:path"]);
        Assert.Equal(key, (string?)attributes["genkit:key"]);
    }

    [Fact]
    public void Span_LabelWithANameOfItsOwn_LosesToIt()
    {
        var labels = new Dictionary<string, string> { ["genkit:state"] = "mine", ["genkitx:evalId"] = "é\"\u0001\ud800" };

        var attributes = AttributesOf(new RootSpanStart(new TraceContext("t", "s"), "/flow/a") { Labels = labels }, null);

        Assert.Equal("success", (string?)attributes["genkit:state"]);
        Assert.Equal("é\"\u0001\ufffd", (string?)attributes["genkitx:evalId"]);
    }

    [Fact]
    public void Span_LabelsAndTextsWithoutEnd_StayBelowTheServersLimit()
    {
        var quotes = new string('"', 10_000_000);
        var labels = new Dictionary<string, string> { ["a"] = quotes, [quotes] = "b", ["c"] = "d" };
        var writer = new RootSpanWriter(new RootSpanStart(new TraceContext("t", "s"), quotes) { Labels = labels }, DateTimeOffset.UnixEpoch, MaxBytes);
        writer.WriteStart();
        writer.WriteNames();
        writer.WriteEnd(DateTimeOffset.UnixEpoch, new SpanFailure("INTERNAL", quotes, quotes));

        Assert.InRange(writer.Body.Length, 1, MaxBytes);
        Assert.Equal("d", (string?)SpanText.Attributes(writer.Body)["c"]);
    }

    private static JsonObject AttributesOf(in RootSpanStart run, SpanFailure? failure)
    {
        var writer = new RootSpanWriter(run, DateTimeOffset.UnixEpoch, MaxBytes);
        writer.WriteStart();
        writer.WriteNames();
        writer.WriteEnd(DateTimeOffset.UnixEpoch, failure);
        return SpanText.Attributes(writer.Body);
    }

    private static RootSpanStart RunOf(GoldenTrace golden) =>
        new(new TraceContext((string)golden.Body["traceId"]!, (string)golden.Span["spanId"]!), (string)golden.Attributes["genkit:key"]!)
        {
            Labels = golden.Attributes.Where(attribute => !s_own.Contains(attribute.Key)).ToDictionary(attribute => attribute.Key, attribute => (string)attribute.Value!),
        };

    private static SpanFailure? FailureOf(GoldenTrace golden) => (string?)golden.Attributes["genkit:state"] != "error"
        ? null
        : new SpanFailure(
            (string?)Exception(golden)?["exception.type"] ?? "UNKNOWN",
            (string)golden.Span["status"]!["message"]!,
            (string?)Exception(golden)?["exception.stacktrace"]);

    /// <summary>Removes expected differences: JavaScript records exceptions before the span's end, and no exception for a thrown string.</summary>
    private static void AdaptToSidecar(GoldenTrace golden)
    {
        if (Exception(golden) is not null)
        {
            golden.Span["timeEvents"]!["timeEvent"]![0]!["time"] = golden.Span["endTime"]!.DeepClone();
        }
        else if ((string?)golden.Attributes["genkit:state"] == "error")
        {
            golden.Attributes["genkit:isFailureSource"] = true;
            golden.Span["timeEvents"]!["timeEvent"]!.AsArray().Add(new JsonObject
            {
                ["time"] = golden.Span["endTime"]!.DeepClone(),
                ["annotation"] = new JsonObject
                {
                    ["description"] = "exception",
                    ["attributes"] = new JsonObject
                    {
                        ["exception.type"] = "UNKNOWN",
                        ["exception.message"] = golden.Span["status"]!["message"]!.DeepClone(),
                    },
                },
            });
        }
    }

    private static JsonNode? Exception(GoldenTrace golden) =>
        golden.Span["timeEvents"]!["timeEvent"]!.AsArray().FirstOrDefault()?["annotation"]!["attributes"];

    private static void Write(RootSpanWriter writer, ReadOnlySpan<byte> attribute, GoldenTrace golden)
    {
        if ((string?)golden.Attributes[Encoding.UTF8.GetString(attribute).Trim('"')] is { } json)
        {
            writer.WritePayload(attribute, Json(json), _ => true);
        }
    }

    private static string Parsed(JsonObject attributes, string name)
    {
        var text = (string)attributes[name]!;
        var value = JsonNode.Parse(text)!;
        return value is JsonValue ? value.GetValue<string>() : text;
    }

    private static DateTimeOffset Time(JsonNode milliseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks((long)(decimal.Parse(milliseconds.ToJsonString(), CultureInfo.InvariantCulture) * TimeSpan.TicksPerMillisecond));

    private static ReadOnlySequence<byte> Json(string json) => new(Encoding.UTF8.GetBytes(json));
}
