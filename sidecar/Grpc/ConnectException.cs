namespace Genkit.Sidecar.Grpc;

/// <summary>Carries the reason for which no HTTP/2 connection came about through SocketsHttpHandler, which wraps it and gives it back.</summary>
/// <remarks>An IOException, as that is what the handler expects of a stream that fails.</remarks>
internal sealed class ConnectException(GrpcConnectFailure failure, string message, Exception? cause = null) : IOException(message, cause)
{
    public GrpcConnectFailure Failure { get; } = failure;

    public GrpcStatus ToStatus() => new(GrpcStatusCode.Unavailable, Message) { ConnectFailure = Failure, Cause = this };
}
