using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>One call of an application with raw messages. It ends with a status instead of an exception.</summary>
internal sealed class ApplicationCall : IAsyncDisposable
{
    private readonly CancellationTokenSource _cancelled;
    private readonly AsyncDuplexStreamingCall<byte[], byte[]> _call;

    /// <param name="start">Starts the call. The token cancels it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public ApplicationCall(Func<CancellationToken, AsyncDuplexStreamingCall<byte[], byte[]>> start, CancellationToken cancellationToken)
    {
        _cancelled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _call = start(_cancelled.Token);
    }

    /// <summary>Status of the call, or null while it is active.</summary>
    public Status? Status { get; private set; }

    /// <summary>Reads the next message. Returns null at the end of the call.</summary>
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

    /// <summary>Sends a message. Does nothing if the call has ended, because reading returns its status.</summary>
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

    /// <summary>Half-closes the call.</summary>
    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    public Task CancelAsync() => _cancelled.CancelAsync();

    /// <summary>Cancels the call if it is active.</summary>
    public ValueTask DisposeAsync()
    {
        _call.Dispose();
        _cancelled.Dispose();
        return ValueTask.CompletedTask;
    }
}
