using System.Buffers;
using System.Runtime.CompilerServices;

namespace Genkit.Sidecar.Grpc;

/// <summary>Cuts messages out of a body's bytes. Small ones are slices of one pooled buffer, large ones are read straight into pooled segments.</summary>
/// <remarks>Used by one reader at a time; the call that owns it sees to that.</remarks>
/// <param name="sender">Who sends the messages, for errors, which on a server travel to the sender.</param>
/// <param name="maxMessageBytes">The largest message taken, after decompression too.</param>
internal sealed class MessageReader(string sender, int maxMessageBytes) : IDisposable
{
    // What one call holds while it waits: many calls idle, few are busy.
    private const int SmallBuffer = 4 * 1024;

    // A message up to this size is contiguous. It is also how far the buffer grows when reads keep filling it.
    private const int LargestBuffer = 64 * 1024;

    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private bool _lastReadFilled;
    private PooledSegments? _large;
    private int _largeRemaining;
    private bool _largeTaken;
    private bool _compressed;
    private PooledSegments? _decompressed;

    public enum Outcome
    {
        /// <summary>More bytes are needed.</summary>
        None,

        /// <summary><see cref="Message"/> is there.</summary>
        Message,

        /// <summary>The call cannot go on, see <see cref="Error"/>.</summary>
        Failed,
    }

    /// <summary>The message cut last. Valid until the next <see cref="TryTake"/>.</summary>
    public ReadOnlySequence<byte> Message { get; private set; }

    /// <summary>What is wrong with the body.</summary>
    public GrpcStatus? Error { get; private set; }

    /// <summary>The body's <c>grpc-encoding</c>.</summary>
    public string? Encoding { get; set; }

    /// <summary>Whether the bytes so far end inside a message.</summary>
    public bool IsInsideMessage => _start < _end || _large is not null;

    /// <summary>Gives the last message's memory back and cuts the next one out of the bytes that are here.</summary>
    public Outcome TryTake()
    {
        Release();
        if (Error is not null)
        {
            return Outcome.Failed;
        }

        if (_large is not null)
        {
            return _largeRemaining == 0 ? Taken(_large.Sequence) : Outcome.None;
        }

        var available = _end - _start;
        if (available < MessagePrefix.Length)
        {
            return Outcome.None;
        }

        var (flag, length) = MessagePrefix.Read(_buffer.AsSpan(_start));
        _compressed = flag == 1;
        if (flag > 1 || (_compressed && Encoding != Gzip.Name))
        {
            return Fail(
                GrpcStatusCode.Internal,
                flag > 1 ? $"the {sender} sent a message with the compressed flag {flag}, which means nothing: it may not speak gRPC"
                : Encoding is null or "identity" ? $"the {sender} sent a compressed message without naming its compression"
                : $"the {sender} sent a message compressed with '{Encoding}', it was offered gzip only");
        }

        if (length > maxMessageBytes)
        {
            return TooLarge($"{length} bytes");
        }

        var wanted = MessagePrefix.Length + (long)length;
        if (wanted <= available)
        {
            var message = new ReadOnlySequence<byte>(_buffer, _start + MessagePrefix.Length, (int)length);
            _start += (int)wanted;
            return Taken(message);
        }

        if (wanted <= LargestBuffer)
        {
            MakeRoom((int)wanted);
        }
        else
        {
            _large = new PooledSegments();
            _large.Write(_buffer.AsSpan(_start + MessagePrefix.Length, available - MessagePrefix.Length));
            _largeRemaining = (int)(wanted - available);
            _start = _end = 0;
        }

        return Outcome.None;
    }

    /// <summary>Reads once. False at the end of the body.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> FillAsync(Stream body, CancellationToken cancellationToken)
    {
        if (_large is not null)
        {
            var got = await body.ReadAsync(_large.GetMemoryFor(_largeRemaining), cancellationToken).ConfigureAwait(false);
            _large.Advance(got);
            _largeRemaining -= got;
            return got > 0;
        }

        if (_lastReadFilled || _end == _buffer.Length)
        {
            MakeRoom(Math.Min(Math.Max(_buffer.Length * 2, SmallBuffer), LargestBuffer));
        }

        var room = _buffer.AsMemory(_end);
        var count = await body.ReadAsync(room, cancellationToken).ConfigureAwait(false);
        _end += count;
        _lastReadFilled = count == room.Length && _buffer.Length < LargestBuffer;
        return count > 0;
    }

    /// <summary>Makes the current message outlive this reader: the caller disposes what it gets.</summary>
    public PooledSegments? Detach(out ReadOnlySequence<byte> message)
    {
        var owner = _decompressed ?? _large;
        if (owner is null && !Message.IsEmpty)
        {
            owner = new PooledSegments();
            foreach (var piece in Message)
            {
                piece.Span.CopyTo(owner.GetMemoryFor(piece.Length).Span);
                owner.Advance(piece.Length);
            }
        }

        if (ReferenceEquals(owner, _large))
        {
            _large = null;
            _largeTaken = false;
        }
        else
        {
            _decompressed = null;
        }

        message = owner?.Sequence ?? ReadOnlySequence<byte>.Empty;
        Message = default;
        return owner;
    }

    public void Dispose()
    {
        Message = default;
        _decompressed?.Dispose();
        _decompressed = null;
        _large?.Dispose();
        _large = null;
        _start = _end = 0;
        Replace([]);
    }

    private void Release()
    {
        Message = default;
        _decompressed?.Dispose();
        _decompressed = null;
        if (_large is not null && _largeRemaining == 0 && _largeTaken)
        {
            _large.Dispose();
            _large = null;
            _largeTaken = false;
        }

        if (_start == _end)
        {
            _start = _end = 0;
        }
    }

    private Outcome Taken(ReadOnlySequence<byte> message)
    {
        _largeTaken = _large is not null;
        if (!_compressed)
        {
            Message = message;
            return Outcome.Message;
        }

        _decompressed = new PooledSegments();
        try
        {
            if (!Gzip.TryDecompress(message, maxMessageBytes, _decompressed))
            {
                return TooLarge($"{message.Length} bytes that decompress to more");
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return Fail(GrpcStatusCode.Internal, $"the {sender} sent a message that is marked as gzip and is not valid gzip");
        }

        Message = _decompressed.Sequence;
        return Outcome.Message;
    }

    private Outcome TooLarge(string what) => Fail(new GrpcStatus(
        GrpcStatusCode.ResourceExhausted,
        $"the {sender} sent a message of {what}, the limit for messages received is {maxMessageBytes} bytes")
    {
        IsOverReceiveLimit = true,
    });

    private Outcome Fail(GrpcStatusCode code, string message) => Fail(new GrpcStatus(code, message));

    private Outcome Fail(GrpcStatus error)
    {
        Error = error;
        return Outcome.Failed;
    }

    /// <summary>Makes a buffer that holds <paramref name="size"/> bytes from the first unread one on.</summary>
    private void MakeRoom(int size)
    {
        var unread = _end - _start;
        if (_buffer.Length < size)
        {
            Replace(BufferPool.Shared.Rent(size));
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, unread).CopyTo(_buffer);
        }

        _start = 0;
        _end = unread;
    }

    private void Replace(byte[] buffer)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(buffer);
        if (_buffer.Length > 0)
        {
            BufferPool.Shared.Return(_buffer);
        }

        _buffer = buffer;
    }
}
