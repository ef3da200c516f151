using System.Buffers;

namespace Genkit.Sidecar.Grpc;

/// <summary>A large message in pooled pieces: the pool rounds up to powers of two, so that one array for a message of 65 MiB would take 128.</summary>
/// <remarks>Not safe for use by several threads.</remarks>
internal sealed class PooledSegments : IBufferWriter<byte>, IDisposable
{
    // Below the large object heap for what is only a little too large for one buffer; growing, so that tens of megabytes are not thousands of pieces.
    private const int FirstSegment = 64 * 1024;
    private const int LargestSegment = 1024 * 1024;

    private Segment? _first;
    private Segment? _last;
    private int _nextSize = FirstSegment;

    public long Length { get; private set; }

    public ReadOnlySequence<byte> Sequence => _first is null ? ReadOnlySequence<byte>.Empty : new(_first, 0, _last!, _last!.Count);

    /// <summary>Free room after what is written: at least one byte, or <paramref name="sizeHint"/>.</summary>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_last is null || _last.Array.Length - _last.Count < Math.Max(sizeHint, 1))
        {
            Append(Math.Max(sizeHint, _nextSize));
            _nextSize = Math.Min(_nextSize * 2, LargestSegment);
        }

        return _last!.Array.AsMemory(_last.Count);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Room for a message whose remaining length is known: its last piece is no larger than it needs to be.</summary>
    public Memory<byte> GetMemoryFor(int remaining)
    {
        if (_last is null || _last.Array.Length == _last.Count)
        {
            Append(Math.Min(remaining, _nextSize));
            _nextSize = Math.Min(_nextSize * 2, LargestSegment);
        }

        var free = _last!.Array.AsMemory(_last.Count);
        return free.Length > remaining ? free[..remaining] : free;
    }

    public void Advance(int count)
    {
        _last!.Grow(count);
        Length += count;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var room = GetMemory().Span;
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    public void Dispose()
    {
        for (var segment = _first; segment is not null; segment = segment.Following)
        {
            BufferPool.Shared.Return(segment.Array);
        }

        _first = _last = null;
        Length = 0;
    }

    private void Append(int size)
    {
        var segment = new Segment(BufferPool.Shared.Rent(size), Length);
        _last?.Link(segment);
        _first ??= segment;
        _last = segment;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] array, long runningIndex)
        {
            Array = array;
            RunningIndex = runningIndex;
        }

        public byte[] Array { get; }

        public int Count { get; private set; }

        public Segment? Following => (Segment?)Next;

        public void Grow(int count)
        {
            Count += count;
            Memory = Array.AsMemory(0, Count);
        }

        public void Link(Segment next) => Next = next;
    }
}
