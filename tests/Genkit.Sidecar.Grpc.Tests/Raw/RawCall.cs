using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests.Raw;

/// <summary>One call whose messages are bytes: server streaming if the first message is the last, and bidirectional otherwise. It starts with the first message.</summary>
internal sealed class RawCall(ClientChannel channel, string path, RawCallOptions options, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly TaskCompletionSource<IAsyncStreamReader<byte[]>> _reader = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CallScope? _scope;
    private IDisposable? _call;
    private IClientStreamWriter<byte[]>? _input;
    private Func<Metadata>? _trailers;

    public byte[] Message { get; private set; } = [];

    /// <summary>The status of the call; null until reading has reached its end.</summary>
    public CallStatus? Status { get; private set; }

    public Metadata Trailers => Status!.IsOK ? _trailers!() : Status.Trailers;

    public Task<Metadata> HeadersReceived { get; private set; } = Task.FromResult(Metadata.Empty);

    /// <summary>Sends a message. Does nothing once the call has ended.</summary>
    public async Task WriteAsync(byte[] message, bool endOfStream, CancellationToken token)
    {
        if (_call is null)
        {
            if (endOfStream)
            {
                StartServerStreaming(message);
                return;
            }

            StartDuplex();
        }

        try
        {
            await _input!.WriteAsync(message, token);
            if (endOfStream)
            {
                await CompleteAsync();
            }
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or IOException or HttpRequestException or ObjectDisposedException)
        {
            // The reader gets the status of the call.
            token.ThrowIfCancellationRequested();
        }
    }

    public async Task CompleteAsync()
    {
        if (_call is null)
        {
            StartDuplex();
        }

        try
        {
            await _input!.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or IOException or HttpRequestException or OperationCanceledException)
        {
            // The reader gets the status of the call.
        }
    }

    /// <summary>Reads the next message. False at the end of the call.</summary>
    public async Task<bool> ReadAsync(CancellationToken token)
    {
        if (Status is not null)
        {
            return false;
        }

        var reader = await _reader.Task;
        try
        {
            if (await reader.MoveNext(token))
            {
                Message = reader.Current;
                return true;
            }

            Status = CallStatus.OK;
        }
        catch (RpcException exception)
        {
            Status = _scope!.Value.StatusOf(exception);
            token.ThrowIfCancellationRequested();
        }
        catch (ObjectDisposedException)
        {
            Status = new CallStatus(StatusCode.Cancelled, "the call was cancelled");
        }

        return false;
    }

    /// <summary>Resets the call, if it is open. Does nothing before the first message.</summary>
    public void Cancel() => _call?.Dispose();

    public ValueTask DisposeAsync()
    {
        _call?.Dispose();
        _scope?.Dispose();
        return default;
    }

    private void StartServerStreaming(byte[] message)
    {
        var scope = Begin();
        var call = channel.Calls.AsyncServerStreamingCall(RawMethod.Create(MethodType.ServerStreaming, path), host: null, options.With(scope, cancellationToken), message);
        _call = call;
        _trailers = call.GetTrailers;
        HeadersReceived = call.ResponseHeadersAsync;
        _reader.SetResult(call.ResponseStream);
    }

    private void StartDuplex()
    {
        var scope = Begin();
        var call = channel.Calls.AsyncDuplexStreamingCall(RawMethod.Create(MethodType.DuplexStreaming, path), host: null, options.With(scope, cancellationToken));
        _call = call;
        _input = call.RequestStream;
        _trailers = call.GetTrailers;
        HeadersReceived = call.ResponseHeadersAsync;
        _reader.SetResult(call.ResponseStream);
    }

    private CallScope Begin()
    {
        var scope = channel.BeginCall(options.Deadline);
        _scope = scope;
        return scope;
    }
}
