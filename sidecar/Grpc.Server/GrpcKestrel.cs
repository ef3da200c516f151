using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Grpc.Server;

/// <summary>Kestrel's settings that gRPC needs and that are the whole server's.</summary>
public static class GrpcKestrel
{
    /// <summary>
    /// Lets a caller be as slow to read as it likes: Kestrel would close the connection of one that takes less than 240 bytes a second for 5 s, which a caller that
    /// works on what it has got does. What waits for it is bounded by the windows of HTTP/2.
    /// </summary>
    public static void AllowSlowReaders(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.Limits.MinResponseDataRate = null;
    }
}
