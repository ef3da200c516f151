using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Otlp.Wire;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace Genkit.Sidecar.Otlp;

/// <summary>
/// Reads OTLP in JSON. It differs from Protobuf's own JSON: ids are hex digits and enums are numbers. Members that are not known are
/// skipped, and null stands for a member that is not there.
/// </summary>
internal ref struct OtlpJsonReader
{
    /// <summary>Of messages in messages, as Protobuf's own reader has it, so that both encodings take the same.</summary>
    private const int MaxMessageDepth = 100;

#pragma warning disable CS8604 // Messages hold each other, so some table always names one that follows; none is read before all are there.
    private static readonly Members<ExportTraceServiceRequest> s_traces = new() { ["resourceSpans"] = static (ref r, request) => r.List(request.ResourceSpans, s_resourceSpans) };

    private static readonly Members<ExportLogsServiceRequest> s_logs = new() { ["resourceLogs"] = static (ref r, request) => r.List(request.ResourceLogs, s_resourceLogs) };

    private static readonly Members<ExportMetricsServiceRequest> s_metrics = new() { ["resourceMetrics"] = static (ref r, request) => r.List(request.ResourceMetrics, s_resourceMetrics) };

    private static readonly Members<ResourceSpans> s_resourceSpans = new()
    {
        ["resource"] = static (ref r, spans) => spans.Resource = r.Message(s_resource),
        ["scopeSpans"] = static (ref r, spans) => r.List(spans.ScopeSpans, s_scopeSpans),
    };

    private static readonly Members<ScopeSpans> s_scopeSpans = new()
    {
        ["scope"] = static (ref r, spans) => spans.Scope = r.Message(s_scope),
        ["spans"] = static (ref r, spans) => r.List(spans.Spans, s_span),
        ["schemaUrl"] = static (ref r, spans) => spans.SchemaUrl = r.Text(),
    };

    private static readonly Members<Span> s_span = new()
    {
        ["traceId"] = static (ref r, span) => span.TraceId = r.Hex(),
        ["spanId"] = static (ref r, span) => span.SpanId = r.Hex(),
        ["parentSpanId"] = static (ref r, span) => span.ParentSpanId = r.Hex(),
        ["name"] = static (ref r, span) => span.Name = r.Text(),
        ["kind"] = static (ref r, span) => span.Kind = (int)r.Integer(int.MinValue, int.MaxValue),
        ["startTimeUnixNano"] = static (ref r, span) => span.StartTimeUnixNano = (ulong)r.Integer(0, ulong.MaxValue),
        ["endTimeUnixNano"] = static (ref r, span) => span.EndTimeUnixNano = (ulong)r.Integer(0, ulong.MaxValue),
        ["attributes"] = static (ref r, span) => r.List(span.Attributes, s_keyValue),
        ["droppedAttributesCount"] = static (ref r, span) => span.DroppedAttributesCount = (uint)r.Integer(0, uint.MaxValue),
        ["events"] = static (ref r, span) => r.List(span.Events, s_event),
        ["droppedEventsCount"] = static (ref r, span) => span.DroppedEventsCount = (uint)r.Integer(0, uint.MaxValue),
        ["links"] = static (ref r, span) => r.List(span.Links, s_link),
        ["droppedLinksCount"] = static (ref r, span) => span.DroppedLinksCount = (uint)r.Integer(0, uint.MaxValue),
        ["status"] = static (ref r, span) => span.Status = r.Message(s_status),
        ["flags"] = static (ref r, span) => span.Flags = (uint)r.Integer(0, uint.MaxValue),
    };

    private static readonly Members<SpanEvent> s_event = new()
    {
        ["timeUnixNano"] = static (ref r, spanEvent) => spanEvent.TimeUnixNano = (ulong)r.Integer(0, ulong.MaxValue),
        ["name"] = static (ref r, spanEvent) => spanEvent.Name = r.Text(),
        ["attributes"] = static (ref r, spanEvent) => r.List(spanEvent.Attributes, s_keyValue),
        ["droppedAttributesCount"] = static (ref r, spanEvent) => spanEvent.DroppedAttributesCount = (uint)r.Integer(0, uint.MaxValue),
    };

    private static readonly Members<SpanLink> s_link = new()
    {
        ["traceId"] = static (ref r, link) => link.TraceId = r.Hex(),
        ["spanId"] = static (ref r, link) => link.SpanId = r.Hex(),
        ["attributes"] = static (ref r, link) => r.List(link.Attributes, s_keyValue),
        ["droppedAttributesCount"] = static (ref r, link) => link.DroppedAttributesCount = (uint)r.Integer(0, uint.MaxValue),
        ["flags"] = static (ref r, link) => link.Flags = (uint)r.Integer(0, uint.MaxValue),
    };

    private static readonly Members<SpanStatus> s_status = new()
    {
        ["message"] = static (ref r, status) => status.Message = r.Text(),
        ["code"] = static (ref r, status) => status.Code = (int)r.Integer(int.MinValue, int.MaxValue),
    };

    private static readonly Members<ResourceLogs> s_resourceLogs = new()
    {
        ["resource"] = static (ref r, logs) => logs.Resource = r.Message(s_resource),
        ["scopeLogs"] = static (ref r, logs) => r.List(logs.ScopeLogs, s_scopeLogs),
    };

    private static readonly Members<ScopeLogs> s_scopeLogs = new()
    {
        ["scope"] = static (ref r, logs) => logs.Scope = r.Message(s_scope),
        ["logRecords"] = static (ref r, logs) => r.List(logs.LogRecords, s_logRecord),
    };

    private static readonly Members<LogRecord> s_logRecord = new()
    {
        ["timeUnixNano"] = static (ref r, record) => record.TimeUnixNano = (ulong)r.Integer(0, ulong.MaxValue),
        ["observedTimeUnixNano"] = static (ref r, record) => record.ObservedTimeUnixNano = (ulong)r.Integer(0, ulong.MaxValue),
        ["severityNumber"] = static (ref r, record) => record.SeverityNumber = (int)r.Integer(int.MinValue, int.MaxValue),
        ["severityText"] = static (ref r, record) => record.SeverityText = r.Text(),
        ["body"] = static (ref r, record) => record.Body = r.Message(s_anyValue),
        ["attributes"] = static (ref r, record) => r.List(record.Attributes, s_keyValue),
        ["traceId"] = static (ref r, record) => record.TraceId = r.Hex(),
        ["spanId"] = static (ref r, record) => record.SpanId = r.Hex(),
        ["eventName"] = static (ref r, record) => record.EventName = r.Text(),
    };

    private static readonly Members<ResourceMetrics> s_resourceMetrics = new() { ["scopeMetrics"] = static (ref r, metrics) => r.List(metrics.ScopeMetrics, s_scopeMetrics) };

    private static readonly Members<ScopeMetrics> s_scopeMetrics = new() { ["metrics"] = static (ref r, metrics) => r.List(metrics.Metrics, s_metric) };

    private static readonly Members<Metric> s_metric = new() { ["name"] = static (ref r, metric) => metric.Name = r.Text() };

    private static readonly Members<Resource> s_resource = new() { ["attributes"] = static (ref r, resource) => r.List(resource.Attributes, s_keyValue) };

    private static readonly Members<InstrumentationScope> s_scope = new()
    {
        ["name"] = static (ref r, scope) => scope.Name = r.Text(),
        ["version"] = static (ref r, scope) => scope.Version = r.Text(),
        ["attributes"] = static (ref r, scope) => r.List(scope.Attributes, s_keyValue),
    };

    private static readonly Members<KeyValue> s_keyValue = new(DecodedSize.ValueBytes)
    {
        ["key"] = static (ref r, pair) => pair.Key = r.Text(),
        ["value"] = static (ref r, pair) => pair.Value = r.Message(s_anyValue),
    };

    private static readonly Members<AnyValue> s_anyValue = new(DecodedSize.ValueBytes)
    {
        ["stringValue"] = static (ref r, value) => value.StringValue = r.Text(),
        ["boolValue"] = static (ref r, value) => value.BoolValue = r.Boolean(),
        ["intValue"] = static (ref r, value) => value.IntValue = (long)r.Integer(long.MinValue, long.MaxValue),
        ["doubleValue"] = static (ref r, value) => value.DoubleValue = r.Double(),
        ["arrayValue"] = static (ref r, value) => value.ArrayValue = r.Message(s_array),
        ["kvlistValue"] = static (ref r, value) => value.KvlistValue = r.Message(s_keyValueList),
        ["bytesValue"] = static (ref r, value) => value.BytesValue = r.Base64(),
    };

    private static readonly Members<ArrayValue> s_array = new() { ["values"] = static (ref r, array) => r.List(array.Values, s_anyValue) };

    private static readonly Members<KeyValueList> s_keyValueList = new() { ["values"] = static (ref r, list) => r.List(list.Values, s_keyValue) };
#pragma warning restore CS8604

    private readonly long _maxDecodedBytes;
    private Utf8JsonReader _json;
    private int _depth;
    private long _decodedBytes;

    private OtlpJsonReader(in ReadOnlySequence<byte> json, long maxDecodedBytes)
    {
        _maxDecodedBytes = maxDecodedBytes;
        _json = new Utf8JsonReader(json, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        _json.Read();
    }

    /// <summary>Reads the value of a member into a message.</summary>
    private delegate void Member<in T>(ref OtlpJsonReader reader, T message);

    /// <exception cref="JsonException">It is not such a request.</exception>
    /// <exception cref="InvalidDataException">Its messages take more memory.</exception>
    public static ExportTraceServiceRequest ReadTraces(in ReadOnlySequence<byte> json, long maxDecodedBytes) => Read(s_traces, json, maxDecodedBytes);

    /// <inheritdoc cref="ReadTraces"/>
    public static ExportLogsServiceRequest ReadLogs(in ReadOnlySequence<byte> json, long maxDecodedBytes) => Read(s_logs, json, maxDecodedBytes);

    /// <inheritdoc cref="ReadTraces"/>
    public static ExportMetricsServiceRequest ReadMetrics(in ReadOnlySequence<byte> json, long maxDecodedBytes) => Read(s_metrics, json, maxDecodedBytes);

    private static T Read<T>(Members<T> members, in ReadOnlySequence<byte> json, long maxDecodedBytes)
        where T : new()
    {
        var reader = new OtlpJsonReader(json, maxDecodedBytes);
        var request = reader.Message(members);

        // Nothing may follow; this throws if something does.
        reader._json.Read();
        return request;
    }

    private static JsonException Not(string what) => new($"a value is not {what}");

    private T Message<T>(Members<T> members)
        where T : new()
    {
        var message = new T();
        for (Start(members.DecodedBytes); TryReadMember(out var name);)
        {
            if (members.TryGetValue(name, out var read))
            {
                read(ref this, message);
            }
            else
            {
                _json.Skip();
            }
        }

        return message;
    }

    private void Start(int decodedBytes)
    {
        _decodedBytes += decodedBytes;
        DecodedSize.ThrowIfOver(_maxDecodedBytes, _decodedBytes);
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            throw Not("an object");
        }

        if (_depth++ > MaxMessageDepth)
        {
            throw new JsonException($"values are nested deeper than {MaxMessageDepth} messages");
        }
    }

    /// <summary>Goes to the value of the next member that has one. False, and past the object, if there is none.</summary>
    private bool TryReadMember(out string name)
    {
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            name = _json.GetStringAsEscaped();
            _json.Read();
            if (_json.TokenType != JsonTokenType.Null)
            {
                return true;
            }
        }

        name = "";
        _depth--;
        return false;
    }

    private void List<T>(RepeatedField<T> list, Members<T> members)
        where T : new()
    {
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            throw Not("an array");
        }

        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            list.Add(Message(members));
        }
    }

    private string Text() => _json.TokenType == JsonTokenType.String ? _json.GetStringAsEscaped() : throw Not("a string");

    private readonly bool Boolean() => _json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw Not("true or false"),
    };

    private ByteString Hex()
    {
        var text = Text();
        var bytes = new byte[text.Length / 2];
        return Convert.FromHexString(text, bytes, out _, out _) == OperationStatus.Done ? UnsafeByteOperations.UnsafeWrap(bytes) : throw Not("an even number of hex digits");
    }

    private ByteString Base64()
    {
        var text = Text();
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? UnsafeByteOperations.UnsafeWrap(bytes.AsMemory(0, length)) : throw Not("base64");
    }

    /// <summary>A number without fraction, or a string of it, as JavaScript cannot tell large ones apart.</summary>
    private decimal Integer(decimal least, decimal most)
    {
        var isNumber = _json.TokenType == JsonTokenType.Number
            ? _json.TryGetDecimal(out var number)
            : decimal.TryParse(Text(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        return isNumber && number >= least && number <= most && decimal.IsInteger(number) ? number : throw Not("an integer in its range");
    }

    private double Double()
    {
        var isNumber = _json.TokenType == JsonTokenType.Number
            ? _json.TryGetDouble(out var number)
            : double.TryParse(Text(), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
        return isNumber ? number : throw Not("a number");
    }

    /// <summary>The members of a message that are read, by name.</summary>
    /// <param name="decodedBytes">What a message takes in memory besides what it holds.</param>
    private sealed class Members<T>(int decodedBytes = DecodedSize.MessageBytes) : Dictionary<string, Member<T>>
    {
        public int DecodedBytes => decodedBytes;
    }
}
