using System.Buffers;
using Genkit.Sidecar.Grpc.Server;
using Google.Protobuf;

namespace Genkit.Sidecar.Client;

/// <summary>Writes a run's updates, one at a time, and none behind its end. A payload goes out from where it lies.</summary>
internal sealed class UpdateWriter(GrpcServerCall call, string key, CancellationToken cancelled) : IDisposable
{
    // Of RunActionResponse, and RunBidiActionResponse, which has the same form.
    private const byte ChunkTag = (V1.RunActionResponse.ChunkJsonFieldNumber << 3) | 2;
    private const byte ResultTag = (V1.RunActionResponse.ResultFieldNumber << 3) | 2;
    private const byte ResultJsonTag = (V1.ActionResult.ResultJsonFieldNumber << 3) | 2;

    private readonly SemaphoreSlim _turn = new(1);
    private bool _hasEnded;

    public ValueTask ChunkAsync(RawJson chunk)
    {
        var head = new byte[1 + sizeof(int) + 1];
        head[0] = ChunkTag;
        var length = 1 + Length(head.AsSpan(1), chunk.Utf8.Length);
        return WriteAsync(Joined(head.AsMemory(0, length), chunk.Utf8), isEnd: false);
    }

    public ValueTask ResultAsync(RawJson result)
    {
        if (result.IsAbsent)
        {
            return WriteAsync(new ReadOnlySequence<byte>(new byte[] { ResultTag, 0 }), isEnd: true);
        }

        Span<byte> inner = stackalloc byte[1 + sizeof(int) + 1];
        inner[0] = ResultJsonTag;
        inner = inner[..(1 + Length(inner[1..], result.Utf8.Length))];
        var head = new byte[1 + sizeof(int) + 1 + inner.Length];
        head[0] = ResultTag;
        var length = 1 + Length(head.AsSpan(1), inner.Length + result.Utf8.Length);
        inner.CopyTo(head.AsSpan(length));
        return WriteAsync(Joined(head.AsMemory(0, length + inner.Length), result.Utf8), isEnd: true);
    }

    public ValueTask StateAsync(string traceId) => WriteAsync(Encoded(new V1.RunActionResponse { State = new V1.ActionState { TraceId = traceId } }), isEnd: false);

    public ValueTask ErrorAsync(V1.ActionError error) => WriteAsync(Encoded(new V1.RunActionResponse { Error = error }), isEnd: true);

    /// <summary>Lets nothing be written any more.</summary>
    public void Dispose() => Volatile.Write(ref _hasEnded, true);

    private static ReadOnlySequence<byte> Encoded(V1.RunActionResponse response) => new(response.ToByteArray());

    private static int Length(Span<byte> destination, int length)
    {
        var at = 0;
        for (; length > 0x7F; length >>= 7)
        {
            destination[at++] = (byte)(length | 0x80);
        }

        destination[at++] = (byte)length;
        return at;
    }

    private static ReadOnlySequence<byte> Joined(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> payload)
    {
        var first = new Segment(head, 0);
        var last = new Segment(payload, head.Length);
        first.Append(last);
        return new ReadOnlySequence<byte>(first, 0, last, payload.Length);
    }

    private async ValueTask WriteAsync(ReadOnlySequence<byte> message, bool isEnd)
    {
        ThrowIfEnded();
        await _turn.WaitAsync(cancelled).ConfigureAwait(false);
        try
        {
            ThrowIfEnded();
            cancelled.ThrowIfCancellationRequested();
            Volatile.Write(ref _hasEnded, isEnd);
            await call.WriteAsync(message, flush: !isEnd).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private void ThrowIfEnded()
    {
        if (Volatile.Read(ref _hasEnded))
        {
            throw new InvalidOperationException($"the run of {key} has ended: nothing can be sent any more");
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long start) => (Memory, RunningIndex) = (memory, start);

        public void Append(Segment next) => Next = next;
    }
}
