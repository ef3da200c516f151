using System.Buffers;
using System.Net;

namespace Genkit.Sidecar.Grpc;

/// <summary>The request's body. SocketsHttpHandler asks for it when the request has a stream on a connection, and again when HTTP/2 proves that the peer did not process it.</summary>
/// <remarks>
/// With one message it is written anew each time. With more to come it stays open until the half-close: the stream goes to the call, whose writes follow, and
/// there is no second time.
/// </remarks>
internal sealed class RequestContent : HttpContent
{
    private readonly GrpcCall _call;
    private readonly ReadOnlySequence<byte>? _message;
    private readonly bool _isCompressed;
    private readonly TaskCompletionSource? _halfClose;
    private bool _isUsed;

    public RequestContent(GrpcCall call, ReadOnlySequence<byte>? message, bool isCompressed, bool endOfStream)
    {
        _call = call;
        _message = message;
        _isCompressed = isCompressed;
        _halfClose = endOfStream ? null : new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Headers.TryAddWithoutValidation("content-type", "application/grpc");
    }

    /// <summary>Whether the body was asked for more than once.</summary>
    public bool WasResent { get; private set; }

    public void HalfClose() => _halfClose?.TrySetResult();

    /// <summary>Lets go of an open request: the handler resets its stream.</summary>
    public void Abort() => _halfClose?.TrySetCanceled();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        WasResent = _isUsed;
        _isUsed = true;
        if (WasResent && _halfClose is not null)
        {
            throw new NotResendableException();
        }

        _call.RequestBodyStarted();
        try
        {
            if (_message is { } message)
            {
                await MessageWriter.WriteAsync(stream, message, _isCompressed, _call.Ended).ConfigureAwait(false);
            }

            if (_halfClose is not null)
            {
                await stream.FlushAsync(_call.Ended).ConfigureAwait(false);
                _call.RequestBodyIsOpen(stream);
                await _halfClose.Task.ConfigureAwait(false);
            }
        }
        finally
        {
            _call.RequestBodyEnded();
        }
    }

    // The length is not told: one message or many, gRPC frames them itself.
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
