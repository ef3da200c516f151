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

    private delegate T Item<out T>(ref OtlpJsonReader reader);

    /// <exception cref="JsonException">It is not such a request.</exception>
    /// <exception cref="InvalidDataException">Its messages take more memory.</exception>
    public static ExportTraceServiceRequest ReadTraces(in ReadOnlySequence<byte> json, long maxDecodedBytes)
    {
        var reader = new OtlpJsonReader(json, maxDecodedBytes);
        var request = new ExportTraceServiceRequest();
        for (reader.Start(); reader.TryReadMember(out var name);)
        {
            switch (name)
            {
                case "resourceSpans":
                    reader.ReadList(request.ResourceSpans, static (ref r) => r.ReadResourceSpans());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        reader.End();
        return request;
    }

    /// <inheritdoc cref="ReadTraces"/>
    public static ExportLogsServiceRequest ReadLogs(in ReadOnlySequence<byte> json, long maxDecodedBytes)
    {
        var reader = new OtlpJsonReader(json, maxDecodedBytes);
        var request = new ExportLogsServiceRequest();
        for (reader.Start(); reader.TryReadMember(out var name);)
        {
            switch (name)
            {
                case "resourceLogs":
                    reader.ReadList(request.ResourceLogs, static (ref r) => r.ReadResourceLogs());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        reader.End();
        return request;
    }

    /// <inheritdoc cref="ReadTraces"/>
    public static ExportMetricsServiceRequest ReadMetrics(in ReadOnlySequence<byte> json, long maxDecodedBytes)
    {
        var reader = new OtlpJsonReader(json, maxDecodedBytes);
        var request = new ExportMetricsServiceRequest();
        for (reader.Start(); reader.TryReadMember(out var name);)
        {
            switch (name)
            {
                case "resourceMetrics":
                    reader.ReadList(request.ResourceMetrics, static (ref r) => r.ReadResourceMetrics());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        reader.End();
        return request;
    }

    private static JsonException Not(string what) => new($"a value is not {what}");

    private ResourceSpans ReadResourceSpans()
    {
        var spans = new ResourceSpans();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "resource":
                    spans.Resource = ReadResource();
                    break;
                case "scopeSpans":
                    ReadList(spans.ScopeSpans, static (ref r) => r.ReadScopeSpans());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return spans;
    }

    private ScopeSpans ReadScopeSpans()
    {
        var spans = new ScopeSpans();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "scope":
                    spans.Scope = ReadScope();
                    break;
                case "spans":
                    ReadList(spans.Spans, static (ref r) => r.ReadSpan());
                    break;
                case "schemaUrl":
                    spans.SchemaUrl = Text();
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return spans;
    }

    private Span ReadSpan()
    {
        var span = new Span();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "traceId":
                    span.TraceId = Hex();
                    break;
                case "spanId":
                    span.SpanId = Hex();
                    break;
                case "parentSpanId":
                    span.ParentSpanId = Hex();
                    break;
                case "name":
                    span.Name = Text();
                    break;
                case "kind":
                    span.Kind = (int)Integer(int.MinValue, int.MaxValue);
                    break;
                case "startTimeUnixNano":
                    span.StartTimeUnixNano = (ulong)Integer(0, ulong.MaxValue);
                    break;
                case "endTimeUnixNano":
                    span.EndTimeUnixNano = (ulong)Integer(0, ulong.MaxValue);
                    break;
                case "attributes":
                    ReadList(span.Attributes, static (ref r) => r.ReadKeyValue());
                    break;
                case "droppedAttributesCount":
                    span.DroppedAttributesCount = (uint)Integer(0, uint.MaxValue);
                    break;
                case "events":
                    ReadList(span.Events, static (ref r) => r.ReadEvent());
                    break;
                case "droppedEventsCount":
                    span.DroppedEventsCount = (uint)Integer(0, uint.MaxValue);
                    break;
                case "links":
                    ReadList(span.Links, static (ref r) => r.ReadLink());
                    break;
                case "droppedLinksCount":
                    span.DroppedLinksCount = (uint)Integer(0, uint.MaxValue);
                    break;
                case "status":
                    span.Status = ReadStatus();
                    break;
                case "flags":
                    span.Flags = (uint)Integer(0, uint.MaxValue);
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return span;
    }

    private SpanEvent ReadEvent()
    {
        var spanEvent = new SpanEvent();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "timeUnixNano":
                    spanEvent.TimeUnixNano = (ulong)Integer(0, ulong.MaxValue);
                    break;
                case "name":
                    spanEvent.Name = Text();
                    break;
                case "attributes":
                    ReadList(spanEvent.Attributes, static (ref r) => r.ReadKeyValue());
                    break;
                case "droppedAttributesCount":
                    spanEvent.DroppedAttributesCount = (uint)Integer(0, uint.MaxValue);
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return spanEvent;
    }

    private SpanLink ReadLink()
    {
        var link = new SpanLink();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "traceId":
                    link.TraceId = Hex();
                    break;
                case "spanId":
                    link.SpanId = Hex();
                    break;
                case "attributes":
                    ReadList(link.Attributes, static (ref r) => r.ReadKeyValue());
                    break;
                case "droppedAttributesCount":
                    link.DroppedAttributesCount = (uint)Integer(0, uint.MaxValue);
                    break;
                case "flags":
                    link.Flags = (uint)Integer(0, uint.MaxValue);
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return link;
    }

    private SpanStatus ReadStatus()
    {
        var status = new SpanStatus();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "message":
                    status.Message = Text();
                    break;
                case "code":
                    status.Code = (int)Integer(int.MinValue, int.MaxValue);
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return status;
    }

    private ResourceLogs ReadResourceLogs()
    {
        var logs = new ResourceLogs();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "resource":
                    logs.Resource = ReadResource();
                    break;
                case "scopeLogs":
                    ReadList(logs.ScopeLogs, static (ref r) => r.ReadScopeLogs());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return logs;
    }

    private ScopeLogs ReadScopeLogs()
    {
        var logs = new ScopeLogs();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "scope":
                    logs.Scope = ReadScope();
                    break;
                case "logRecords":
                    ReadList(logs.LogRecords, static (ref r) => r.ReadLogRecord());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return logs;
    }

    private LogRecord ReadLogRecord()
    {
        var record = new LogRecord();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "timeUnixNano":
                    record.TimeUnixNano = (ulong)Integer(0, ulong.MaxValue);
                    break;
                case "observedTimeUnixNano":
                    record.ObservedTimeUnixNano = (ulong)Integer(0, ulong.MaxValue);
                    break;
                case "severityNumber":
                    record.SeverityNumber = (int)Integer(int.MinValue, int.MaxValue);
                    break;
                case "severityText":
                    record.SeverityText = Text();
                    break;
                case "body":
                    record.Body = ReadAnyValue();
                    break;
                case "attributes":
                    ReadList(record.Attributes, static (ref r) => r.ReadKeyValue());
                    break;
                case "traceId":
                    record.TraceId = Hex();
                    break;
                case "spanId":
                    record.SpanId = Hex();
                    break;
                case "eventName":
                    record.EventName = Text();
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return record;
    }

    private ResourceMetrics ReadResourceMetrics()
    {
        var metrics = new ResourceMetrics();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "scopeMetrics":
                    ReadList(metrics.ScopeMetrics, static (ref r) => r.ReadScopeMetrics());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return metrics;
    }

    private ScopeMetrics ReadScopeMetrics()
    {
        var metrics = new ScopeMetrics();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "metrics":
                    ReadList(metrics.Metrics, static (ref r) => r.ReadMetric());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return metrics;
    }

    private Metric ReadMetric()
    {
        var metric = new Metric();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "name":
                    metric.Name = Text();
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return metric;
    }

    private Resource ReadResource()
    {
        var resource = new Resource();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "attributes":
                    ReadList(resource.Attributes, static (ref r) => r.ReadKeyValue());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return resource;
    }

    private InstrumentationScope ReadScope()
    {
        var scope = new InstrumentationScope();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "name":
                    scope.Name = Text();
                    break;
                case "version":
                    scope.Version = Text();
                    break;
                case "attributes":
                    ReadList(scope.Attributes, static (ref r) => r.ReadKeyValue());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return scope;
    }

    private KeyValue ReadKeyValue()
    {
        var pair = new KeyValue();
        for (Start(DecodedSize.ValueBytes); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "key":
                    pair.Key = Text();
                    break;
                case "value":
                    pair.Value = ReadAnyValue();
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return pair;
    }

    private AnyValue ReadAnyValue()
    {
        var value = new AnyValue();
        for (Start(DecodedSize.ValueBytes); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "stringValue":
                    value.StringValue = Text();
                    break;
                case "boolValue":
                    value.BoolValue = Boolean();
                    break;
                case "intValue":
                    value.IntValue = (long)Integer(long.MinValue, long.MaxValue);
                    break;
                case "doubleValue":
                    value.DoubleValue = Double();
                    break;
                case "arrayValue":
                    value.ArrayValue = ReadArray();
                    break;
                case "kvlistValue":
                    value.KvlistValue = ReadKeyValueList();
                    break;
                case "bytesValue":
                    value.BytesValue = Base64();
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return value;
    }

    private ArrayValue ReadArray()
    {
        var array = new ArrayValue();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "values":
                    ReadList(array.Values, static (ref r) => r.ReadAnyValue());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return array;
    }

    private KeyValueList ReadKeyValueList()
    {
        var list = new KeyValueList();
        for (Start(); TryReadMember(out var name);)
        {
            switch (name)
            {
                case "values":
                    ReadList(list.Values, static (ref r) => r.ReadKeyValue());
                    break;
                default:
                    Skip();
                    break;
            }
        }

        return list;
    }

    private void Start(int decodedBytes = DecodedSize.MessageBytes)
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

    private void ReadList<T>(RepeatedField<T> list, Item<T> read)
    {
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            throw Not("an array");
        }

        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            list.Add(read(ref this));
        }
    }

    private void Skip() => _json.Skip();

    /// <summary>Nothing may follow; the reader throws if something does.</summary>
    private void End() => _json.Read();

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
}
