using Google.Protobuf;

namespace Genkit.Sidecar.Client;

/// <summary>Writes the updates of a run one at a time, and none after its end. Payloads are not copied until gRPC serializes the message.</summary>
/// <param name="write">Writes one update. The flag tells whether it is the last.</param>
/// <param name="key">Key of the action, for error messages.</param>
/// <param name="cancelled">Cancels the wait for an earlier write.</param>
internal sealed class UpdateWriter(Func<V1.RunActionResponse, bool, Task> write, string key, CancellationToken cancelled) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private bool _hasEnded;

    public ValueTask ChunkAsync(RawJson chunk) => WriteAsync(new() { ChunkJson = Bytes(chunk) }, isLast: false);

    public ValueTask ResultAsync(RawJson result) => WriteAsync(new() { Result = result.IsAbsent ? new() : new() { ResultJson = Bytes(result) } }, isLast: true);

    public ValueTask StateAsync(string traceId) => WriteAsync(new() { State = new() { TraceId = traceId } }, isLast: false);

    public ValueTask ErrorAsync(V1.ActionError error) => WriteAsync(new() { Error = error }, isLast: true);

    /// <summary>Refuses all further writes.</summary>
    public void Dispose() => Volatile.Write(ref _hasEnded, true);

    // UnsafeByteOperations is safe because the bytes of a RawJson never change.
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
            throw new InvalidOperationException($"the run of {key} has ended, so nothing can be sent");
        }
    }
}
