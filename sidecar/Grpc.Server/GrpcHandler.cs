namespace Genkit.Sidecar.Grpc.Server;

/// <summary>Serves the calls of one method, of whatever kind.</summary>
/// <param name="call">The call; of no use once the returned task has completed.</param>
/// <returns>How the call ends. A <see cref="GrpcException"/> ends it with its status, any other exception with <see cref="GrpcStatusCode.Unknown"/>.</returns>
public delegate Task<GrpcStatus> GrpcHandler(GrpcServerCall call);
