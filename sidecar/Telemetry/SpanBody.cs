using System.Buffers;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// The body of a request to the telemetry server, in pooled segments: one array of a large span would be rounded up to twice its
/// size. Written by one thread at a time. Released by each of its holders, the first of which is its maker.
/// </summary>
internal sealed class SpanBody : IBufferWriter<byte>
{
    private const int FirstSegmentBytes = 2 * 1024;
    private const int MaxSegmentBytes = 256 * 1024;

    private readonly List<ReadOnlyMemory<byte>> _full = [];
    private readonly List<byte[]> _arrays = [];
    private byte[] _last;
    private int _filled;
    private long _fullBytes;
    private int _holders = 1;

    public SpanBody() => _last = Rent(FirstSegmentBytes);

    public long Length => _fullBytes + _filled;

    public void Advance(int count) => _filled += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_last.Length - _filled < Math.Max(1, sizeHint))
        {
            _full.Add(_last.AsMemory(0, _filled));
            _fullBytes += _filled;
            _last = Rent(Math.Max(sizeHint, Math.Min(_last.Length * 4, MaxSegmentBytes)));
            _filled = 0;
        }

        return _last.AsMemory(_filled);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Copies the bytes out. Keeps them until that has ended, even if the maker has released them meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">The last holder has released them.</exception>
    public async Task CopyToAsync(Stream stream, CancellationToken cancellationToken)
    {
        Hold();
        try
        {
            foreach (var segment in _full)
            {
                await stream.WriteAsync(segment, cancellationToken);
            }

            await stream.WriteAsync(_last.AsMemory(0, _filled), cancellationToken);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Gives the memory back when the last holder calls it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            foreach (var array in _arrays)
            {
                ArrayPool<byte>.Shared.Return(array);
            }
        }
    }

    /// <summary>
    /// A request that was given up may still be copying, and must never send memory that the pool has rented to another owner.
    /// </summary>
    private void Hold()
    {
        while (true)
        {
            var holders = Volatile.Read(ref _holders);
            ObjectDisposedException.ThrowIf(holders == 0, this);
            if (Interlocked.CompareExchange(ref _holders, holders + 1, holders) == holders)
            {
                return;
            }
        }
    }

    private byte[] Rent(int bytes)
    {
        var array = ArrayPool<byte>.Shared.Rent(bytes);
        _arrays.Add(array);
        return array;
    }
}
