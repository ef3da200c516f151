namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

/// <summary>Implementations of gRPC from outside this project.</summary>
public enum PeerKind
{
    Node,
    Python,
    Go,
}
