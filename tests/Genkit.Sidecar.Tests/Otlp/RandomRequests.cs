using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Google.Protobuf;

namespace Genkit.Sidecar.Tests.Otlp;

/// <summary>Random requests with everything that OTLP allows, and with some violations.</summary>
internal sealed class RandomRequests(Random random, string traceId)
{
    private static readonly string[] s_texts =
        ["", "a", "é\"\\\n\u0001\u2028", "𝄞", "\0", "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hi\"}]}]", "{\"a\":", "[[[1]]]", "chat", new string('x', 700), "__proto__"];

    private static readonly string[] s_keys =
    [
        "", "a", "__proto__", "constructor", "genkit:input", "genkit:state", "gen_ai.operation.name", "gen_ai.system", "gen_ai.request.model", "gen_ai.input.messages", "gen_ai.output.messages",
        "gen_ai.system_instructions", "gen_ai.prompt", "gen_ai.prompt.0.role", "gen_ai.prompt.0.content", "gen_ai.prompt.1.tool_calls.0.name", "gen_ai.completion.0.content", "gen_ai.usage.input_tokens",
        "gen_ai.response.finish_reasons", "gen_ai.request.temperature", "gen_ai.tool.name", "gen_ai.tool.call.arguments", "gen_ai.tool.definitions", "llm.request.type", "service.name",
    ];

    private static readonly string[] s_operations = ["chat", "text_completion", "embeddings", "execute_tool", "invoke_agent", "retrieval", "create_agent"];

    private static readonly string[] s_events =
        ["exception", "gen_ai.user.message", "gen_ai.choice", "gen_ai.tool.message", "gen_ai.content.prompt", "gen_ai.client.inference.operation.details", ""];

    private static readonly double[] s_doubles = [0, -0.0, 0.1, 1e300, 5e-324, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue];
    private static readonly long[] s_integers = [0, -1, 1L << 53, (1L << 53) - 1, -(1L << 53), long.MaxValue, long.MinValue];
    private static readonly ulong[] s_times = [0, 1, 1_795_245_035_261_000_000, 1_795_245_035_262_529_801, ulong.MaxValue];

    public ExportTraceServiceRequest Traces() => new()
    {
        ResourceSpans =
        {
            Some(3, () => new ResourceSpans
            {
                Resource = Maybe(() => new Resource { Attributes = { Attributes() } }),
                ScopeSpans = { Some(3, () => new ScopeSpans { Scope = Maybe(Scope), SchemaUrl = Text(), Spans = { Some(4, Span) } }) },
            }),
        },
    };

    public ExportLogsServiceRequest Logs() => new()
    {
        ResourceLogs =
        {
            Some(3, () => new ResourceLogs
            {
                Resource = Maybe(() => new Resource { Attributes = { Attributes() } }),
                ScopeLogs = { Some(3, () => new ScopeLogs { Scope = Maybe(Scope), LogRecords = { Some(4, Record) } }) },
            }),
        },
    };

    private Span Span() => new()
    {
        TraceId = random.Next(8) == 0 ? Bytes(16) : Spans.Id(traceId),
        SpanId = random.Next(16) == 0 ? Bytes(random.Next(10)) : Bytes(8),
        ParentSpanId = random.Next(2) == 0 ? Bytes(random.Next(10)) : Bytes(8),
        Name = Text(),
        Kind = random.Next(-1, 8),
        StartTimeUnixNano = One(s_times),
        EndTimeUnixNano = One(s_times),
        Attributes = { Attributes(), Some(2, () => Spans.Pair("gen_ai.operation.name", One(s_operations))) },
        DroppedAttributesCount = (uint)random.Next(2),
        DroppedEventsCount = uint.MaxValue,
        Events = { Some(3, () => new SpanEvent { Name = One(s_events), TimeUnixNano = One(s_times), Attributes = { Attributes() } }) },
        Links = { Some(3, () => new SpanLink { TraceId = Bytes(random.Next(17)), SpanId = Bytes(8), Flags = (uint)random.Next(1024), Attributes = { Attributes() }, DroppedAttributesCount = 1 }) },
        Status = Maybe(() => new SpanStatus { Code = random.Next(-1, 5), Message = Text() }),
        Flags = (uint)random.Next(1024),
    };

    private LogRecord Record() => new()
    {
        TimeUnixNano = One(s_times),
        ObservedTimeUnixNano = One(s_times),
        SeverityNumber = random.Next(-1, 30),
        SeverityText = Text(),
        Body = Maybe(() => Value(4)),
        Attributes = { Attributes() },
        TraceId = random.Next(2) == 0 ? Spans.Id(traceId) : Bytes(random.Next(17)),
        SpanId = Bytes(random.Next(9)),
        EventName = Text(),
    };

    private InstrumentationScope Scope() => new() { Name = Text(), Version = Text(), Attributes = { Attributes() } };

    private List<KeyValue> Attributes() => Some(6, () => Spans.Pair(One(s_keys), random.Next(9) == 0 ? null : Value(3)));

    private AnyValue Value(int depth) => random.Next(depth == 0 ? 6 : 8) switch
    {
        0 => new AnyValue(),
        1 => new AnyValue { BoolValue = true },
        2 => new AnyValue { IntValue = One(s_integers) },
        3 => new AnyValue { DoubleValue = One(s_doubles) },
        4 => new AnyValue { BytesValue = Bytes(random.Next(5)) },
        5 => new AnyValue { StringValue = Text() },
        6 => new AnyValue { ArrayValue = new ArrayValue { Values = { Some(4, () => Value(depth - 1)) } } },
        _ => new AnyValue { KvlistValue = new KeyValueList { Values = { Some(4, () => Spans.Pair(One(s_keys), Value(depth - 1))) } } },
    };

    private ByteString Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return ByteString.CopyFrom(bytes);
    }

    private string Text() => One(s_texts);

    private T One<T>(T[] values) => values[random.Next(values.Length)];

    private T? Maybe<T>(Func<T> make)
        where T : class => random.Next(4) == 0 ? null : make();

    private List<T> Some<T>(int most, Func<T> make) => [.. Enumerable.Range(0, random.Next(most)).Select(_ => make())];
}
