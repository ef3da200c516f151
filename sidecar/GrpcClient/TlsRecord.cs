namespace Genkit.Sidecar.GrpcClient;

/// <summary>The head of a TLS record: its type (20 to 23), then major version 3.</summary>
internal static class TlsRecord
{
    /// <summary>Whether bytes start a TLS record. One byte alone decides only against it.</summary>
    public static bool IsStartOf(ReadOnlySpan<byte> bytes) => bytes.Length >= 1 && bytes[0] is >= 20 and <= 23 && (bytes.Length == 1 || bytes[1] == 3);
}
