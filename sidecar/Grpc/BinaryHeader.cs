namespace Genkit.Sidecar.Grpc;

/// <summary>Bytes as the value of a <c>-bin</c> header.</summary>
internal static class BinaryHeader
{
    // The specification asks senders to leave the padding out and receivers to take both.
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>The bytes, or null when the text is not base64.</summary>
    public static byte[]? Decode(string text)
    {
        var bare = text.AsSpan().Trim().TrimEnd('=');
        if (bare.Length % 4 == 1)
        {
            return null;
        }

        var padded = string.Concat(bare, "==".AsSpan(0, (4 - (bare.Length % 4)) % 4));
        var bytes = new byte[padded.Length / 4 * 3];
        return Convert.TryFromBase64String(padded, bytes, out var written) ? bytes[..written] : null;
    }
}
