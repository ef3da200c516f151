using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests.Raw;

internal static class RawMethod
{
    private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes);

    public static Method<byte[], byte[]> Create(MethodType type, string path)
    {
        var slash = path.LastIndexOf('/');
        return new Method<byte[], byte[]>(type, path[1..slash], path[(slash + 1)..], s_bytes, s_bytes);
    }
}
