namespace Genkit.Sidecar.GrpcClient;

/// <summary>A request that has no proven connection yet.</summary>
internal sealed class ConnectWait : IDisposable
{
    private readonly CancellationTokenSource _source;
    private ConnectException? _failure;

    public ConnectWait(CancellationToken cancellationToken) => _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

    /// <summary>Cancelled when the caller gives up, or connecting fails.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Why connecting failed; null if it has not.</summary>
    public ConnectException? Failure => Volatile.Read(ref _failure);

    public void Fail(ConnectException failure)
    {
        Volatile.Write(ref _failure, failure);
        _source.Cancel();
    }

    public void Dispose() => _source.Dispose();
}
