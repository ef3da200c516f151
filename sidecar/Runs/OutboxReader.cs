namespace Genkit.Sidecar.Runs;

/// <summary>The only reader of a run's outbox, for an endpoint with a request for each run. It waits; other readers are called back.</summary>
internal sealed class OutboxReader : IDisposable
{
    private readonly RunOutbox _outbox;
    private readonly SemaphoreSlim _readable = new(0);

    public OutboxReader(RunOutbox outbox)
    {
        _outbox = outbox;
        outbox.Attach(() => _readable.Release());
    }

    /// <summary>Takes the next event if there is one by now. The taker releases it.</summary>
    public bool TryRead(out RunEvent runEvent) => _outbox.TryRead(out runEvent);

    /// <summary>Completes when there may be another event; to be awaited only after there was none.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _readable.WaitAsync(cancellationToken);

    /// <summary>Leaves what is unread to another reader.</summary>
    public void Dispose()
    {
        _outbox.Detach();
        _readable.Dispose();
    }
}
