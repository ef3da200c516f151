using System.Buffers;
using System.Threading.Channels;

namespace Genkit.Sidecar.Runs;

/// <summary>
/// Input chunks of a bidirectional run, from the endpoint that reads them to the call that writes them. The endpoint never waits: past
/// the bound the run fails, because an endpoint that waited for one application could not read another run's cancel.
/// </summary>
internal sealed class RunInput(long limitBytes)
{
    /// <summary>Counted for each chunk, so that many empty ones are bounded too.</summary>
    private const int ChunkOverheadBytes = 64;

    private readonly Channel<byte[]> _chunks = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private long _queuedBytes;
    private bool _ended;

    public enum AddResult
    {
        Added,
        Full,

        /// <summary>The input or the run has ended; the chunk goes nowhere.</summary>
        Ended,
    }

    public long LimitBytes => limitBytes;

    /// <summary>Adds a copy of the chunk, so that the endpoint's receive buffer, much larger than most chunks, is free again.</summary>
    public AddResult Add(in ReadOnlySequence<byte> chunk)
    {
        // Before the bound: what comes too late is ignored, however much of it there is.
        if (Volatile.Read(ref _ended))
        {
            return AddResult.Ended;
        }

        // A chunk that finds the queue empty always goes in: its own size is the message limit's affair.
        var bytes = chunk.Length + ChunkOverheadBytes;
        var queued = Interlocked.Read(ref _queuedBytes);
        if (queued > 0 && queued + bytes > limitBytes)
        {
            return AddResult.Full;
        }

        Interlocked.Add(ref _queuedBytes, bytes);
        return _chunks.Writer.TryWrite(chunk.ToArray()) ? AddResult.Added : AddResult.Ended;
    }

    /// <summary>Ends the input; the application sees a half-close after the last chunk. Idempotent.</summary>
    public void Complete()
    {
        Volatile.Write(ref _ended, true);
        _chunks.Writer.TryComplete();
    }

    /// <summary>Takes the next chunk, or null at the end of the input.</summary>
    public async ValueTask<byte[]?> ReadAsync(CancellationToken cancellationToken)
    {
        while (await _chunks.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_chunks.Reader.TryRead(out var chunk))
            {
                Interlocked.Add(ref _queuedBytes, -(chunk.Length + ChunkOverheadBytes));
                return chunk;
            }
        }

        return null;
    }
}
