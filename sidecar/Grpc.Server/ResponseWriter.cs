using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace Genkit.Sidecar.Grpc.Server;

/// <summary>Puts messages into a response's pipe, which the server empties at the pace of HTTP/2's windows.</summary>
/// <remarks>Used by one writer at a time; the call that owns it sees to that. No write takes a token: Kestrel resets the stream when one is cancelled.</remarks>
internal sealed class ResponseWriter(HttpResponse response)
{
    // Half of what Kestrel's pipe holds before it makes a writer wait: one half is on its way while the other is filled.
    private const int LargestUnflushed = 32 * 1024;

    private int _unflushed;
    private volatile bool _isWaiting;
    private volatile bool _isInterrupted;

    /// <summary>Whether the peer was not taking what is written when <see cref="Interrupt"/> was called.</summary>
    public bool IsStuck { get; private set; }

    /// <exception cref="OperationCanceledException">The peer is gone, or <see cref="Interrupt"/> was called.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(ReadOnlySequence<byte> message, bool isCompressed, bool flush)
    {
        var writer = response.BodyWriter;
        MessagePrefix.Write(writer.GetSpan(MessagePrefix.Length), (int)message.Length, isCompressed);
        writer.Advance(MessagePrefix.Length);
        _unflushed += MessagePrefix.Length;
        foreach (var piece in message)
        {
            var rest = piece;
            while (!rest.IsEmpty)
            {
                if (_unflushed >= LargestUnflushed)
                {
                    await FlushAsync().ConfigureAwait(false);
                }

                var count = Math.Min(rest.Length, LargestUnflushed - _unflushed);
                writer.Write(rest.Span[..count]);
                _unflushed += count;
                rest = rest[count..];
            }
        }

        if (flush || _unflushed >= LargestUnflushed)
        {
            await FlushAsync().ConfigureAwait(false);
        }
    }

    /// <exception cref="OperationCanceledException">The peer is gone, or <see cref="Interrupt"/> was called.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync()
    {
        _unflushed = 0;
        var flush = response.BodyWriter.FlushAsync(CancellationToken.None);
        _isWaiting = !flush.IsCompleted;
        var result = await flush.ConfigureAwait(false);
        _isWaiting = false;

        // Kestrel ends a flush that is cancelled, and does not say that it was.
        if (result.IsCompleted || _isInterrupted)
        {
            throw new OperationCanceledException();
        }
    }

    /// <summary>Ends a write that waits for the peer, or its next flush. From any thread; nothing may be written afterwards.</summary>
    public void Interrupt()
    {
        IsStuck = _isWaiting;
        _isInterrupted = true;
        response.BodyWriter.CancelPendingFlush();
    }
}
