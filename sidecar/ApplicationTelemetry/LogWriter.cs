using System.Globalization;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.Otlp.Wire;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.ApplicationTelemetry;

/// <summary>
/// Writes a log record as OTLP in JSON, of which Genkit's telemetry server reads a part: it forgets resources, maps and bytes, so those
/// become attributes and texts. It fails where a time is missing.
/// </summary>
/// <param name="traces">Whose records are shown beside their spans.</param>
/// <param name="maxBytes">Of one record.</param>
internal sealed class LogWriter(KnownTraces traces, int maxBytes)
{
    private const int StepsOfSeverity = 4;

    private static readonly string[] s_severities = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

    private readonly BoundedWriter _output = new(maxBytes);

    private JsonWriter Json => _output.Json;

    /// <returns>A JSON object, valid until the next one is written.</returns>
    public ReadOnlyMemory<byte> Write(LogRecord record, InstrumentationScope? scope, Resource? resource) =>
        _output.Fit((record, scope, resource), all => WriteRecord(all.record, all.scope, all.resource));

    /// <summary>Severities have a short name each and a number for every step of it; exporters may leave the name out.</summary>
    private static string SeverityText(LogRecord record) =>
        record.SeverityText.Length == 0 && record.SeverityNumber > 0 && record.SeverityNumber <= s_severities.Length * StepsOfSeverity
            ? s_severities[(record.SeverityNumber - 1) / StepsOfSeverity]
            : record.SeverityText;

    private static void WriteValue(JsonWriter json, AnyValue? value)
    {
        json.StartObject();
        switch (value?.ValueCase ?? AnyValue.ValueOneofCase.None)
        {
            case AnyValue.ValueOneofCase.None:
                break;
            case AnyValue.ValueOneofCase.BoolValue:
                json.Name("boolValue");
                json.Boolean(value!.BoolValue);
                break;
            case AnyValue.ValueOneofCase.IntValue when AnyValueJson.IsSafe(value!.IntValue):
                json.Name("intValue");
                json.Number(value.IntValue);
                break;
            case AnyValue.ValueOneofCase.DoubleValue when double.IsFinite(value!.DoubleValue):
                json.Name("doubleValue");
                json.Number(value.DoubleValue);
                break;
            case AnyValue.ValueOneofCase.ArrayValue:
                json.Name("arrayValue");
                json.StartObject();
                json.Name("values");
                json.StartArray();
                foreach (var item in value!.ArrayValue.Values)
                {
                    WriteValue(json, item);
                }

                json.EndArray();
                json.EndObject();
                break;
            default:
                json.Text("stringValue", AnyValueJson.Text(value!));
                break;
        }

        json.EndObject();
    }

    private void WriteRecord(LogRecord record, InstrumentationScope? scope, Resource? resource)
    {
        Json.StartObject();
        Json.Text("timeUnixNano", Time(record.TimeUnixNano == 0 ? record.ObservedTimeUnixNano : record.TimeUnixNano));
        if (record.ObservedTimeUnixNano > 0)
        {
            Json.Text("observedTimeUnixNano", Time(record.ObservedTimeUnixNano));
        }

        if (record.SeverityNumber != 0)
        {
            Json.Name("severityNumber");
            Json.Number((long)record.SeverityNumber);
        }

        if (SeverityText(record) is { Length: > 0 } severity)
        {
            Json.Text("severityText", BoundedWriter.Cut(severity));
        }

        var attributes = AnyValueTree.ByKey(record.Attributes);
        if (HexId.Of(record.TraceId, HexId.TraceBytes) is { } traceId)
        {
            WriteIds(record, traceId, attributes);
        }

        if (record.EventName.Length > 0)
        {
            attributes.TryAdd("event.name", AnyValueTree.String(record.EventName));
        }

        SpanAttributes.AddBesides(attributes, scope, resource);
        if (record.Body is not null)
        {
            Json.Name("body");
            _output.Value("body", record.Body, WriteValue);
        }

        WriteAttributes(_output.IsBare ? [] : attributes);
        Json.EndObject();
    }

    private static string Time(ulong nanoseconds) => nanoseconds.ToString(CultureInfo.InvariantCulture);

    private void WriteIds(LogRecord record, string traceId, OrderedDictionary<string, AnyValue> attributes)
    {
        if (traces.TryFind(traceId, out var run) && run.Value.TraceId != traceId)
        {
            attributes[SpanAttributes.OriginalTraceId] = AnyValueTree.String(traceId);
            traceId = run.Value.TraceId;
        }

        Json.Text("traceId", traceId);
        if (HexId.Of(record.SpanId, HexId.SpanBytes) is { } spanId)
        {
            Json.Text("spanId", spanId);
        }
    }

    private void WriteAttributes(IEnumerable<KeyValuePair<string, AnyValue>> attributes)
    {
        Json.Name("attributes");
        Json.StartArray();
        foreach (var (key, value) in attributes)
        {
            Json.StartObject();
            Json.Text("key", key);
            Json.Name("value");
            _output.Value(key, value, WriteValue);
            Json.EndObject();
        }

        Json.EndArray();
    }
}
