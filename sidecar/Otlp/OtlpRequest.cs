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

    private delegate T JsonDecoder<out T>(in ReadOnlySequence<byte> json, long maxDecodedBytes);

    /// <param name="encoding">Of the bytes.</param>
    /// <param name="bytes">The request.</param>
    /// <param name="maxDecodedBytes">What its messages may take in memory.</param>
    /// <exception cref="InvalidDataException">It is not such a request, or takes more; the message says why, without payload.</exception>
    public static ExportTraceServiceRequest Traces(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes, long maxDecodedBytes) =>
        Decode(encoding, bytes, maxDecodedBytes, DecodedSize.Traces, s_traces, OtlpJsonReader.ReadTraces);

    /// <inheritdoc cref="Traces"/>
    public static ExportLogsServiceRequest Logs(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes, long maxDecodedBytes) =>
        Decode(encoding, bytes, maxDecodedBytes, DecodedSize.Logs, s_logs, OtlpJsonReader.ReadLogs);

    /// <inheritdoc cref="Traces"/>
    public static ExportMetricsServiceRequest Metrics(OtlpEncoding encoding, in ReadOnlySequence<byte> bytes, long maxDecodedBytes) =>
        Decode(encoding, bytes, maxDecodedBytes, DecodedSize.Metrics, s_metrics, OtlpJsonReader.ReadMetrics);

    private static T Decode<T>(
        OtlpEncoding encoding, in ReadOnlySequence<byte> bytes, long maxDecodedBytes, DecodedSize.Message shape, MessageParser<T> protobuf, JsonDecoder<T> json)
        where T : IMessage<T>
    {
        if (encoding == OtlpEncoding.Protobuf)
        {
            DecodedSize.ThrowIfOver(maxDecodedBytes, DecodedSize.Of(shape, bytes));
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
            return json(bytes, maxDecodedBytes);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"The request is not OTLP in JSON: {exception.Message}", exception);
        }
    }
}

internal enum OtlpEncoding
{
    Protobuf,
    Json,
}

internal enum OtlpSignal
{
    Traces,
    Metrics,
    Logs,
}
