using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Client;

/// <summary>An endpoint of Kestrel for the sidecar: HTTP/2 alone, and limits that suit runs of any length.</summary>
/// <param name="Address">Where it listens.</param>
internal sealed record SidecarEndpoint(ListenAddress Address)
{
    /// <summary>Adds the endpoint to a server that has no other: the limits are the whole server's.</summary>
    /// <param name="kestrel">The server's options.</param>
    /// <param name="configure">Changes where it listens.</param>
    /// <returns>The endpoint, which has the port that was chosen once the server has started.</returns>
    public ListenOptions AddTo(KestrelServerOptions kestrel, Action<ListenOptions>? configure = null)
    {
        ListenOptions listening = null!;
        kestrel.AddServerHeader = false;

        // Kestrel would close the connection of a caller that works on what it has got, or has nothing to say, for some seconds. The windows of HTTP/2 bound what waits.
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = int.MaxValue;
        kestrel.Listen(Address.EndPoint, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http2;
            configure?.Invoke(endpoint);
            listening = endpoint;
        });
        return listening;
    }
}
