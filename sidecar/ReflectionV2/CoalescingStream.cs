namespace Genkit.Sidecar.ReflectionV2;

/// <summary>
/// Lies between the WebSocket and its socket and gathers small frames while the session's writer has more to send, so that a
/// burst of chunks costs one system call instead of one each. Outside a burst, writes (PING, PONG, CLOSE) pass at once.
/// </summary>
internal sealed class CoalescingStream(Stream inner) : Stream
{
    private const int BufferBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferBytes];

    /// <summary>The WebSocket writes one frame at a time, but <see cref="UncorkAsync"/> comes from outside its lock.</summary>
    private readonly SemaphoreSlim _gate = new(1, 1);

    private int _count;
    private bool _corked;
    private bool _disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Begins a burst.</summary>
    public void Cork() => Volatile.Write(ref _corked, true);

    /// <summary>Ends a burst: sends what was gathered.</summary>
    public async ValueTask UncorkAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _corked, false);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await DrainAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_count + buffer.Length > BufferBytes)
            {
                await DrainAsync(cancellationToken);
            }

            if (buffer.Length >= BufferBytes)
            {
                await inner.WriteAsync(buffer, cancellationToken);
                return;
            }

            buffer.Span.CopyTo(_buffer.AsSpan(_count));
            _count += buffer.Length;
            if (!Volatile.Read(ref _corked))
            {
                await DrainAsync(cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        if (_count > 0)
        {
            var count = _count;
            _count = 0;
            await inner.WriteAsync(_buffer.AsMemory(0, count), cancellationToken);
        }
    }
}
