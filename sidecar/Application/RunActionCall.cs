using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.GrpcClient;
using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>One run's call to the application.</summary>
internal sealed class RunActionCall : IAsyncDisposable
{
    private readonly CallScope _scope;
    private readonly ApplicationFailures _failures;
    private readonly IDisposable _call;
    private readonly IAsyncStreamReader<ReceivedUpdate> _updates;
    private readonly IClientStreamWriter<OutgoingMessage>? _input;
    private readonly OutgoingMessage _request;
    private readonly Task _started;
    private CallStatus? _status;
    private bool _hasAnswered;
    private int _isCancelled;

    /// <summary>Starts a run whose input is in the request.</summary>
    public RunActionCall(CallScope scope, OutgoingMessage request, AsyncServerStreamingCall<ReceivedUpdate> call, string rpcName, ApplicationFailures failures)
    {
        _scope = scope;
        _call = call;
        _updates = call.ResponseStream;
        _request = request;
        _failures = failures;
        _started = Task.CompletedTask;
        RpcName = rpcName;
    }

    /// <summary>Starts a run whose input follows.</summary>
    public RunActionCall(CallScope scope, OutgoingMessage start, AsyncDuplexStreamingCall<OutgoingMessage, ReceivedUpdate> call, string rpcName, ApplicationFailures failures)
    {
        _scope = scope;
        _call = call;
        _updates = call.ResponseStream;
        _input = call.RequestStream;
        _request = start;
        _failures = failures;
        RpcName = rpcName;
        _started = StartAsync();
    }

    public string RpcName { get; }

    /// <summary>How the call ended; null while it has not.</summary>
    public StatusCode? StatusCode => _status?.Code;

    /// <summary>Why the call failed; null if it has not, or has not ended.</summary>
    public ActionFailure? Failure => _status is { IsOK: false } status ? _failures.From(status, RpcName, _hasAnswered) : null;

    /// <summary>Reads the next update, which the caller disposes of. Null at the end of the call.</summary>
    /// <param name="cancellationToken">Gives up waiting, which cancels the call.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ReceivedUpdate?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await _updates.MoveNext(cancellationToken))
            {
                var received = _updates.Current;
                _hasAnswered = true;
                _request.Release();
                if (received.MessageLength > PayloadBuffer.LargestPooled)
                {
                    // grpc-dotnet has just returned its buffer, on this thread, to the shared pool, which would keep it for minutes. An array that is rented
                    // and not returned is left to the garbage collector.
                    _ = ArrayPool<byte>.Shared.Rent(checked((int)received.MessageLength));
                }

                return received;
            }

            _status = CallStatus.OK;
        }
        catch (RpcException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _status = _scope.StatusOf(exception);
        }
        catch (ObjectDisposedException)
        {
            // The run was cancelled between two reads.
            cancellationToken.ThrowIfCancellationRequested();
            _status = new CallStatus(global::Grpc.Core.StatusCode.Cancelled, "the call was cancelled");
        }

        return null;
    }

    /// <summary>Sends a chunk of input. Does nothing once the call has ended: <see cref="ReadAsync"/> says how.</summary>
    public async ValueTask WriteChunkAsync(ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        await _started;
        await WriteAsync(new OutgoingMessage(RunMessages.InputChunk(new ReadOnlySequence<byte>(chunk)), null), cancellationToken);
    }

    /// <summary>Ends the input. Does nothing once the call has ended.</summary>
    public async ValueTask CompleteInputAsync()
    {
        await _started;
        try
        {
            await _input!.CompleteAsync();
        }
        catch (Exception exception) when (IsEndOfCall(exception))
        {
            // ReadAsync says how the call ended.
        }
    }

    /// <summary>Resets the call, if it is still open.</summary>
    public void Cancel()
    {
        if (Interlocked.Exchange(ref _isCancelled, 1) == 0)
        {
            _call.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Cancel();
        await _started;
        _request.Release();
        _scope.Dispose();
    }

    private static bool IsEndOfCall(Exception exception) =>
        exception is RpcException or InvalidOperationException or OperationCanceledException or IOException or HttpRequestException;

    private async Task StartAsync()
    {
        await WriteAsync(_request, CancellationToken.None);

        // The start of a stream is never sent twice.
        _request.Release();
    }

    private async Task WriteAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await _input!.WriteAsync(message, cancellationToken);
        }
        catch (Exception exception) when (IsEndOfCall(exception))
        {
            // ReadAsync says how the call ended.
        }
    }
}
