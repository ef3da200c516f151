namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>Clients of gRPC: this project's own, and two that nobody here wrote.</summary>
public enum CallerKind
{
    Own,
    Node,
    Python,
}
