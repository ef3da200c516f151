using Google.Protobuf;

namespace Genkit.Sidecar.Otlp;

/// <summary>Ids of traces and spans as lower-case hex digits.</summary>
internal static class HexId
{
    public const int TraceBytes = 16;

    public const int SpanBytes = 8;

    /// <summary>Null for an id that OpenTelemetry calls invalid: of another length, or all zeros.</summary>
    public static string? Of(ByteString id, int length) =>
        id.Length == length && id.Span.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(id.Span) : null;
}
