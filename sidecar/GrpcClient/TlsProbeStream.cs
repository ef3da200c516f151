using System.Net.Sockets;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>The bytes below TLS. Remembers whether the peer's first ones are TLS at all, which SslStream's own errors do not say.</summary>
internal sealed class TlsProbeStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    private bool _hasRead;

    /// <summary>Whether the peer sent something that is not TLS.</summary>
    public bool IsPlaintext { get; private set; }

    /// <summary>Whether the peer sent nothing at all.</summary>
    public bool IsSilent => !_hasRead;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = base.ReadAsync(buffer, cancellationToken);
        return _hasRead ? read : FirstReadAsync(read, buffer);
    }

    private async ValueTask<int> FirstReadAsync(ValueTask<int> reading, Memory<byte> buffer)
    {
        var count = await reading.ConfigureAwait(false);
        if (count > 0)
        {
            _hasRead = true;
            IsPlaintext = !TlsRecord.IsStartOf(buffer.Span[..count]);
        }

        return count;
    }
}

/// <summary>The head of a TLS record: its type (20 to 23), then major version 3.</summary>
internal static class TlsRecord
{
    /// <summary>Whether bytes start a TLS record. One byte alone decides only against it.</summary>
    public static bool IsStartOf(ReadOnlySpan<byte> bytes) => bytes.Length >= 1 && bytes[0] is >= 20 and <= 23 && (bytes.Length == 1 || bytes[1] == 3);
}
