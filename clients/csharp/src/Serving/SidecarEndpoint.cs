using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Client;

/// <summary>A Kestrel endpoint for the sidecar: HTTP/2 only, with limits that suit runs of any length.</summary>
/// <param name="Address">The address to listen on.</param>
internal sealed record SidecarEndpoint(ListenAddress Address)
{
    /// <summary>Adds the endpoint to a server that has no other endpoint, because the limits apply to the whole server.</summary>
    /// <param name="kestrel">The server's options.</param>
    /// <param name="configure">Configures the endpoint.</param>
    /// <returns>The endpoint, which has the selected port once the server has started.</returns>
    public ListenOptions AddTo(KestrelServerOptions kestrel, Action<ListenOptions>? configure = null)
    {
        ListenOptions listening = null!;
        kestrel.AddServerHeader = false;

        // Disable minimum data rates: a caller may pause for seconds in either direction. HTTP/2 flow control bounds the buffered data.
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
