using System.Buffers;
using Genkit.Sidecar.Grpc;

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

    public string ResponseName => RpcName + "Response";

    /// <summary>The message that <see cref="ReadAsync"/> read; valid until it is called again.</summary>
    public ReadOnlySequence<byte> Message => _call.Message;

    /// <summary>How the call ended; null while it has not.</summary>
    public GrpcStatusCode? StatusCode => _call.Status?.Code;

    /// <summary>Why the call failed; null if it has not, or has not ended.</summary>
    public ActionFailure? Failure =>
        _call.Status is { IsOK: false } status ? _failures.From(status, RpcName, _hasAnswered) : null;

    /// <summary>Reads the next message. False at the end of the call.</summary>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        var hasMessage = await _call.ReadAsync(cancellationToken);
        _hasAnswered |= hasMessage;
        return hasMessage;
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
        var message = request.StreamInput ? RunMessages.Start(request) : RunMessages.RunAction(request);
        await _call.WriteAsync(message, endOfStream: !request.StreamInput, CancellationToken.None);
    }

    /// <summary>Until the application answers, HTTP/2 may prove the request unprocessed; it is then sent again from the same memory.</summary>
    private async Task ReleaseAsync(RunRequest request)
    {
        try
        {
            await _started;
            await _call.RequestReleased;
        }
        finally
        {
            request.Owner?.Dispose();
        }
    }
}
