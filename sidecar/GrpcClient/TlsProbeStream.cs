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
