namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

public enum Transport
{
    Tcp,
    Unix,
    Tls,

    /// <summary>TCP, and the server compresses its messages. grpc-js cannot.</summary>
    Gzip,
}
