using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>One call of an application, in bytes. It ends with a status, and not with an exception.</summary>
internal sealed class ApplicationCall : IAsyncDisposable
{
    private readonly CancellationTokenSource _cancelled;
    private readonly AsyncDuplexStreamingCall<byte[], byte[]> _call;

    /// <param name="start">Starts the call, which the token cancels.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public ApplicationCall(Func<CancellationToken, AsyncDuplexStreamingCall<byte[], byte[]>> start, CancellationToken cancellationToken)
    {
        _cancelled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _call = start(_cancelled.Token);
    }

    /// <summary>How the call ended; null while messages may come.</summary>
    public Status? Status { get; private set; }

    /// <summary>The next message; null at the end of the call.</summary>
    public async Task<byte[]?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await _call.ResponseStream.MoveNext(cancellationToken))
            {
                return _call.ResponseStream.Current;
            }

            Status = Grpc.Core.Status.DefaultSuccess;
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Status = e.Status;
        }

        return null;
    }

    /// <summary>Sends a message. Does nothing where the call is over: reading tells how it ended.</summary>
    public async Task WriteAsync(byte[] message, CancellationToken cancellationToken)
    {
        try
        {
            await _call.RequestStream.WriteAsync(message, cancellationToken);
        }
        catch (RpcException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Ends the messages of this side.</summary>
    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    public Task CancelAsync() => _cancelled.CancelAsync();

    /// <summary>Cancels what has not ended.</summary>
    public ValueTask DisposeAsync()
    {
        _call.Dispose();
        _cancelled.Dispose();
        return ValueTask.CompletedTask;
    }
}
