using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Genkit.Sidecar.Grpc;

/// <summary>The one compression that is offered and taken.</summary>
internal static class Gzip
{
    public const string Name = "gzip";

    public static PooledSegments Compress(in ReadOnlySequence<byte> message)
    {
        var compressed = new PooledSegments();
        using var gzip = new GZipStream(new SegmentsStream(compressed), CompressionLevel.Fastest);
        foreach (var piece in message)
        {
            gzip.Write(piece.Span);
        }

        return compressed;
    }

    /// <summary>Decompresses into <paramref name="output"/>; stops and says false as soon as that would pass <paramref name="maxBytes"/>.</summary>
    /// <exception cref="InvalidDataException">The bytes are not gzip, or not all of it.</exception>
    public static bool TryDecompress(in ReadOnlySequence<byte> message, int maxBytes, PooledSegments output)
    {
        using var source = new SequenceStream(message);
        using var gzip = new GZipStream(source, CompressionMode.Decompress);
        while (true)
        {
            var count = gzip.Read(output.GetSpan());
            if (count == 0)
            {
                // GZipStream takes the end of its input for the end of the data, and checks the trailer only when it gets there.
                return HasLength(message, output.Length) ? true : throw new InvalidDataException("the gzip data is cut short");
            }

            output.Advance(count);
            if (output.Length > maxBytes)
            {
                return false;
            }
        }
    }

    // The last four bytes of gzip are the length of what it holds, modulo 2^32.
    private static bool HasLength(in ReadOnlySequence<byte> message, long length)
    {
        if (message.Length < sizeof(uint))
        {
            return false;
        }

        Span<byte> last = stackalloc byte[sizeof(uint)];
        message.Slice(message.Length - sizeof(uint)).CopyTo(last);
        return BinaryPrimitives.ReadUInt32LittleEndian(last) == (uint)length;
    }

    private abstract class OneWayStream : Stream
    {
        public override bool CanRead => false;

        public override bool CanWrite => false;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    private sealed class SegmentsStream(PooledSegments segments) : OneWayStream
    {
        public override bool CanWrite => true;

        public override void Write(ReadOnlySpan<byte> buffer) => segments.Write(buffer);
    }

    private sealed class SequenceStream(ReadOnlySequence<byte> sequence) : OneWayStream
    {
        private ReadOnlySequence<byte> _rest = sequence;

        public override bool CanRead => true;

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, _rest.Length);
            _rest.Slice(0, count).CopyTo(buffer);
            _rest = _rest.Slice(count);
            return count;
        }
    }
}
