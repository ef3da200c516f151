using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>Why no HTTP/2 connection to the peer came about. Anything but <see cref="None"/> means that the peer is away; a slow peer never is.</summary>
internal enum ConnectFailure
{
    /// <summary>Connecting did not fail: the status has another reason.</summary>
    None = 0,

    /// <summary>Refused, no such host, no route, no such socket file, no permission for it, or no connection within the connect timeout.</summary>
    Unreachable,

    /// <summary>
    /// The peer closed the connection before it sent anything, or before the request was sent. A TLS server that is spoken to without TLS may do that, and a process
    /// that is starting or stopping.
    /// </summary>
    Closed,

    /// <summary>The peer answered with something other than HTTP/2: HTTP/1, or another protocol.</summary>
    NotHttp2,

    /// <summary>The peer speaks TLS and the address says it does not: <c>https://</c> is the likely remedy.</summary>
    PlaintextToTlsPeer,

    /// <summary>The peer does not speak TLS and the address says it does: <c>http://</c> is the likely remedy.</summary>
    TlsToPlaintextPeer,

    /// <summary>The TLS handshake failed for a reason other than the peer's certificate, for instance because the peer wants a client certificate.</summary>
    TlsFailed,

    /// <summary>The peer's certificate does not lead to a trusted authority, or is not valid today.</summary>
    CertificateNotTrusted,

    /// <summary>The peer's certificate is for another name. Setting the authority is the likely remedy.</summary>
    CertificateForOtherName,
}

/// <summary>Carries the reason why no HTTP/2 connection was made through SocketsHttpHandler, which wraps it and returns it to the call.</summary>
/// <remarks>Derives from IOException, because the handler expects that of a stream that fails.</remarks>
internal sealed class ConnectException(ConnectFailure failure, string message, Exception? cause = null) : IOException(message, cause)
{
    public ConnectFailure Failure { get; } = failure;

    public CallStatus ToStatus() => new(StatusCode.Unavailable, Message) { ConnectFailure = Failure };
}
