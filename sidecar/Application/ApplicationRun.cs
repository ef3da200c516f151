using System.Buffers;
using Genkit.Sidecar.Grpc;
using Google.Protobuf;

namespace Genkit.Sidecar.Application;

/// <summary>One run's call to the application.</summary>
internal sealed class ApplicationRun : IAsyncDisposable
{
    private readonly GrpcCall _call;
    private readonly ApplicationFailures _failures;
    private readonly Task _started;
    private readonly Task _released;
    private bool _hasAnswered;

    public ApplicationRun(GrpcCall call, string rpcName, RunRequest request, ApplicationFailures failures)
    {
        _call = call;
        _failures = failures;
        RpcName = rpcName;
        _started = StartAsync(request);
        _released = ReleaseAsync(request);
    }

    public string RpcName { get; }

    /// <summary>What <see cref="ReadAsync"/> read; its payload is valid until it is called again.</summary>
    public RunUpdate Update { get; private set; }

    /// <summary>How the call ended; null while it has not.</summary>
    public GrpcStatusCode? StatusCode => _call.Status?.Code;

    /// <summary>Why the call failed; null if it has not, or has not ended.</summary>
    public ActionFailure? Failure =>
        _call.Status is { IsOK: false } status ? _failures.From(status, RpcName, _hasAnswered) : null;

    /// <summary>Reads the next update. False at the end of the call.</summary>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await _call.ReadAsync(cancellationToken))
        {
            return false;
        }

        _hasAnswered = true;
        try
        {
            Update = RunUpdate.Decode(_call.Message);
        }
        catch (InvalidProtocolBufferException)
        {
            var problem = $"The application sent a message of {_call.Message.Length} bytes that is not a {RpcName}Response";
            Update = new RunUpdate(RunUpdateKind.Error, null, new ActionFailure(GrpcStatusCode.Internal, problem));
        }

        return true;
    }

    public async ValueTask WriteChunkAsync(ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        await _started;
        await _call.WriteAsync(RunMessages.InputChunk(new ReadOnlySequence<byte>(chunk)), endOfStream: false, cancellationToken);
    }

    public async ValueTask CompleteInputAsync(CancellationToken cancellationToken)
    {
        await _started;
        await _call.CompleteAsync(cancellationToken);
    }

    /// <summary>Resets the call, if it is still open.</summary>
    public void Cancel() => _call.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _call.DisposeAsync();
        await _released;
    }

    private async Task StartAsync(RunRequest request)
    {
        try
        {
            var message = request.StreamInput ? RunMessages.Start(request) : RunMessages.RunAction(request);
            await _call.WriteAsync(message, endOfStream: !request.StreamInput, CancellationToken.None);
        }
        catch
        {
            // Whoever reads must not wait for a request that will not be sent.
            _call.Cancel();
            throw;
        }
    }

    /// <summary>
    /// Gives the request's memory back. A request that is one message may be sent again from it until the application answers, should
    /// HTTP/2 prove the first attempt unprocessed; the start of a stream is never sent twice.
    /// </summary>
    private async Task ReleaseAsync(RunRequest request)
    {
        try
        {
            await _started;
            if (!request.StreamInput)
            {
                await _call.RequestReleased;
            }
        }
        finally
        {
            request.Owner?.Dispose();
        }
    }
}
