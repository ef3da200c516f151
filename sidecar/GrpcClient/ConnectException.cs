using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>Carries the reason why no HTTP/2 connection was made through SocketsHttpHandler, which wraps it and returns it to the call.</summary>
/// <remarks>Derives from IOException, because the handler expects that of a stream that fails.</remarks>
internal sealed class ConnectException(ConnectFailure failure, string message, Exception? cause = null) : IOException(message, cause)
{
    public ConnectFailure Failure { get; } = failure;

    public CallStatus ToStatus() => new(StatusCode.Unavailable, Message) { ConnectFailure = Failure };
}
