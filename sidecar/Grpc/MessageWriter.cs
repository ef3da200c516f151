using System.Buffers;
using System.Runtime.CompilerServices;

namespace Genkit.Sidecar.Grpc;

/// <summary>Writes a prefix and a message to an HTTP/2 request stream.</summary>
internal static class MessageWriter
{
    // One DATA frame of the default size: the prefix never travels alone, and a small message is one write.
    private const int FirstWrite = 16 * 1024;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public static async ValueTask WriteAsync(Stream stream, ReadOnlySequence<byte> message, bool isCompressed, CancellationToken cancellationToken)
    {
        var size = (int)Math.Min(FirstWrite, MessagePrefix.Length + message.Length);
        var together = size - MessagePrefix.Length;
        var buffer = BufferPool.Shared.Rent(size);
        try
        {
            MessagePrefix.Write(buffer, (int)message.Length, isCompressed);
            message.Slice(0, together).CopyTo(buffer.AsSpan(MessagePrefix.Length));
            await stream.WriteAsync(buffer.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            BufferPool.Shared.Return(buffer);
        }

        foreach (var piece in message.Slice(together))
        {
            await stream.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
        }
    }
}
