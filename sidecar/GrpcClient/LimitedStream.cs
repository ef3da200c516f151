namespace Genkit.Sidecar.GrpcClient;

/// <summary>Reads from another stream, and fails once that has given more than a number of bytes, or ends with another number than was announced.</summary>
/// <param name="inner">What is read.</param>
/// <param name="limit">The most bytes that are accepted.</param>
/// <param name="length">The number of bytes, modulo 2^32; null if it is not known.</param>
internal sealed class LimitedStream(Stream inner, int limit, uint? length) : Stream
{
    private long _count;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _count;
        set => throw new NotSupportedException();
    }

    /// <exception cref="MessageTooLargeException">The stream gives more than its limit.</exception>
    /// <exception cref="InvalidDataException">The stream ends with another number of bytes than was announced.</exception>
    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        _count += read;
        if (read == 0 && buffer.Length > 0 && length is { } announced && announced != (uint)_count)
        {
            throw new InvalidDataException("the compressed message is cut short");
        }

        return _count <= limit ? read : throw new MessageTooLargeException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>A message decompresses to more bytes than the channel accepts.</summary>
internal sealed class MessageTooLargeException() : IOException("the message decompresses to more bytes than are accepted");
