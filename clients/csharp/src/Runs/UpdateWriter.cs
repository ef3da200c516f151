using Google.Protobuf;

namespace Genkit.Sidecar.Client;

/// <summary>Writes a run's updates, one at a time, and none after its end. A payload is not copied before it is in the message's buffer.</summary>
/// <param name="write">Writes one update, and whether it is the last.</param>
/// <param name="key">Of the action, for messages.</param>
/// <param name="cancelled">Ends the wait for another write.</param>
internal sealed class UpdateWriter(Func<V1.RunActionResponse, bool, Task> write, string key, CancellationToken cancelled) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private bool _hasEnded;

    public ValueTask ChunkAsync(RawJson chunk) => WriteAsync(new() { ChunkJson = Bytes(chunk) }, isLast: false);

    public ValueTask ResultAsync(RawJson result) => WriteAsync(new() { Result = result.IsAbsent ? new() : new() { ResultJson = Bytes(result) } }, isLast: true);

    public ValueTask StateAsync(string traceId) => WriteAsync(new() { State = new() { TraceId = traceId } }, isLast: false);

    public ValueTask ErrorAsync(V1.ActionError error) => WriteAsync(new() { Error = error }, isLast: true);

    /// <summary>Lets nothing be written any more.</summary>
    public void Dispose() => Volatile.Write(ref _hasEnded, true);

    // The bytes of a RawJson never change.
    private static ByteString Bytes(RawJson json) => UnsafeByteOperations.UnsafeWrap(json.Utf8);

    private async ValueTask WriteAsync(V1.RunActionResponse update, bool isLast)
    {
        ThrowIfEnded();
        await _turn.WaitAsync(cancelled).ConfigureAwait(false);
        try
        {
            ThrowIfEnded();
            cancelled.ThrowIfCancellationRequested();
            Volatile.Write(ref _hasEnded, isLast);
            await write(update, isLast).ConfigureAwait(false);
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
}
