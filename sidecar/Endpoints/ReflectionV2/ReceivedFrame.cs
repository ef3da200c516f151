using System.Buffers;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// One message from the manager, in pooled memory. It has one owner at a time: the receive loop, then the run that was given its
/// payloads. Grows by segments, for one array of 90 MiB would be rounded up to 128.
/// </summary>
internal sealed class ReceivedFrame : IDisposable
{
    private const int FirstSegmentBytes = 16 * 1024;
    private const int MaxSegmentBytes = 1024 * 1024;

    private Segment _first;
    private Segment _last;
    private int _filled;
    private bool _disposed;

    public ReceivedFrame() => _first = _last = new Segment(FirstSegmentBytes, null);

    public long Length => _last.RunningIndex + _filled;

    public ReadOnlySequence<byte> Bytes => new(_first, 0, _last, _filled);

    /// <summary>What could be read of a message over the limit, whose payload was not kept; null for any other.</summary>
    public OversizeMessage? Oversize { get; set; }

    /// <summary>Gives memory for the next bytes, never empty.</summary>
    public Memory<byte> GetMemory()
    {
        if (_filled == _last.Array.Length)
        {
            _last.Close(_filled);
            _last = new Segment(Math.Min(_last.Array.Length * 4, MaxSegmentBytes), _last);
            _filled = 0;
        }

        return _last.Array.AsMemory(_filled);
    }

    public void Advance(int count) => _filled += count;

    /// <summary>Forgets the bytes and keeps the first segment for the next ones.</summary>
    public void Clear()
    {
        for (var segment = _first.Following; segment is not null; segment = segment.Following)
        {
            ArrayPool<byte>.Shared.Return(segment.Array);
        }

        _first = _last = new Segment(_first.Array);
        _filled = 0;
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        for (var segment = _first; segment is not null; segment = segment.Following)
        {
            ArrayPool<byte>.Shared.Return(segment.Array);
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(int length, Segment? previous)
            : this(ArrayPool<byte>.Shared.Rent(length))
        {
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }

        public Segment(byte[] array)
        {
            Array = array;
            Memory = array;
        }

        public byte[] Array { get; }

        public Segment? Following => (Segment?)Next;

        public void Close(int length) => Memory = Array.AsMemory(0, length);
    }
}
