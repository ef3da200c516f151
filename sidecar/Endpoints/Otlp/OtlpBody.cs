using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>The body of an HTTP request, in one piece of pooled memory and within a limit.</summary>
internal sealed class OtlpBody(int maxBytes) : IDisposable
{
    private const int FirstRoom = 64 * 1024;

    private byte[] _buffer = [];
    private int _length;

    public ReadOnlySequence<byte> Bytes => new(_buffer, 0, _length);

    /// <summary>Reads to the end; false, and no further, if that is past the limit.</summary>
    /// <param name="source">What is read.</param>
    /// <param name="length">How much there will be, if that is known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> TryReadAsync(Stream source, long? length, CancellationToken cancellationToken)
    {
        // One more byte than there should be, to see that there is none.
        Grow((int)Math.Min(length ?? FirstRoom, maxBytes) + 1);
        while (await source.ReadAsync(_buffer.AsMemory(_length), cancellationToken) is > 0 and var count)
        {
            _length += count;
            if (_length > maxBytes)
            {
                return false;
            }

            if (_length == _buffer.Length)
            {
                Grow((int)Math.Min(_length * 2L, maxBytes + 1L));
            }
        }

        return true;
    }

    /// <summary>Reads what a whole body holds in gzip; false, and no further, if that is past the limit.</summary>
    /// <exception cref="InvalidDataException">It is not gzip, or not all of it.</exception>
    public async Task<bool> TryDecompressAsync(OtlpBody compressed, CancellationToken cancellationToken)
    {
        using var source = new MemoryStream(compressed._buffer, 0, compressed._length, writable: false);
        await using var gzip = new GZipStream(source, CompressionMode.Decompress);
        if (!await TryReadAsync(gzip, length: null, cancellationToken))
        {
            return false;
        }

        // GZipStream takes the end of its input for the end of the data; the last four bytes say how much there should have been.
        var end = compressed._buffer.AsSpan(0, compressed._length);
        return end.Length >= sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(end[^sizeof(uint)..]) == (uint)_length
            ? true
            : throw new InvalidDataException("it is cut short");
    }

    public void Dispose() => ReplaceBuffer([]);

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ReplaceBuffer(larger);
    }

    private void ReplaceBuffer(byte[] buffer)
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = buffer;
    }
}
