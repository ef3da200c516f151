namespace Genkit.Sidecar.GrpcClient.Tests.Peers;

public enum Transport
{
    Tcp,
    Unix,
    Tls,

    /// <summary>TCP with messages that the server compresses. grpc-js cannot compress them.</summary>
    Gzip,
}
