using System.Net;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>
/// A request's body that knows whether it was sent. SocketsHttpHandler asks for it when the request has a stream on a connection, and again when HTTP/2 proves
/// that the peer did not process it.
/// </summary>
/// <remarks>grpc-dotnet's body of a streamed request would wait for ever when it is asked for a second time.</remarks>
internal sealed class SentContent : HttpContent
{
    private readonly HttpContent _content;
    private readonly bool _mayBeSentAgain;
    private volatile bool _wasSent;

    public SentContent(HttpContent content, bool mayBeSentAgain)
    {
        _content = content;
        _mayBeSentAgain = mayBeSentAgain;
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    public bool WasSent => _wasSent;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_wasSent && !_mayBeSentAgain)
        {
            throw new NotResendableException();
        }

        _wasSent = true;
        return _content.CopyToAsync(stream, context, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _content.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>The peer returned the request unprocessed, and it is a stream whose first messages are gone.</summary>
internal sealed class NotResendableException() : IOException("the peer refused the stream before processing it, and a streamed request cannot be sent twice");
