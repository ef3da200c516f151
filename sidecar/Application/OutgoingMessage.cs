using System.Buffers;
using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>A request message: encoded fields around payloads that lie in the memory of <paramref name="owner"/>.</summary>
/// <param name="bytes">The encoded message.</param>
/// <param name="owner">Returns the memory; null if it is not pooled.</param>
internal sealed class OutgoingMessage(ReadOnlySequence<byte> bytes, IDisposable? owner)
{
    private readonly Lock _lock = new();
    private bool _isReleased;

    /// <summary>Copies the message into grpc-dotnet's buffer.</summary>
    /// <exception cref="OperationCanceledException">The memory was returned, because the call has ended.</exception>
    public static void Serialize(OutgoingMessage message, SerializationContext context) => message.Serialize(context);

    /// <summary>Returns the memory. A request may be sent again until the application answers, should HTTP/2 prove the first attempt unprocessed.</summary>
    public void Release()
    {
        lock (_lock)
        {
            if (_isReleased)
            {
                return;
            }

            _isReleased = true;
        }

        owner?.Dispose();
    }

    private void Serialize(SerializationContext context)
    {
        // A call that was cancelled may get its connection at that moment.
        lock (_lock)
        {
            if (_isReleased)
            {
                throw new OperationCanceledException("the call has ended");
            }

            context.SetPayloadLength(checked((int)bytes.Length));
            var writer = context.GetBufferWriter();
            foreach (var segment in bytes)
            {
                writer.Write(segment.Span);
            }

            context.Complete();
        }
    }
}
