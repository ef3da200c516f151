namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

/// <summary>Implementations of gRPC that nobody here wrote.</summary>
public enum PeerKind
{
    Node,
    Python,
    Go,
}
