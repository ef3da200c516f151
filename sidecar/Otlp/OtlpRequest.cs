using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Otlp.Wire;
using Google.Protobuf;

namespace Genkit.Sidecar.Otlp;

/// <summary>Decodes requests of either encoding.</summary>
internal static class OtlpRequest
{
    private static readonly MessageParser<ExportTraceServiceRequest> s_traces = ExportTraceServiceRequest.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<ExportLogsServiceRequest> s_logs = ExportLogsServiceRequest.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<ExportMetricsServiceRequest> s_metrics = ExportMetricsServiceRequest.Parser.WithDiscardUnknownFields(true);

    private delegate T JsonDecoder<out T>(in ReadOnlySequence<byte> json);

    /// <exception cref="InvalidDataException">It is not such a request; the message says why, without payload.</exception>
    public static ExportTraceServiceRequest Traces(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes) =>
        Decode(encoding, bytes, s_traces, OtlpJsonReader.ReadTraces);

    /// <inheritdoc cref="Traces"/>
    public static ExportLogsServiceRequest Logs(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes) =>
        Decode(encoding, bytes, s_logs, OtlpJsonReader.ReadLogs);

    /// <inheritdoc cref="Traces"/>
    public static ExportMetricsServiceRequest Metrics(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes) =>
        Decode(encoding, bytes, s_metrics, OtlpJsonReader.ReadMetrics);

    private static T Decode<T>(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes, MessageParser<T> protobuf, JsonDecoder<T> json)
        where T : IMessage<T>
    {
        if (encoding == OtlpEncoding.Protobuf)
        {
            try
            {
                return protobuf.ParseFrom(bytes);
            }
            catch (InvalidProtocolBufferException exception)
            {
                throw new InvalidDataException("The request is not OTLP in Protobuf", exception);
            }
        }

        if (JsonPayload.FindDefect(bytes, out _) is { } defect)
        {
            throw new InvalidDataException($"The request is not OTLP in JSON: {defect}");
        }

        try
        {
            return json(bytes);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"The request is not OTLP in JSON: {exception.Message}", exception);
        }
    }
}
