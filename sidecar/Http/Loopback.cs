using System.Net;

namespace Genkit.Sidecar.Http;

/// <summary>What stands for this machine.</summary>
internal static class Loopback
{
    /// <summary>Whether an address reaches this machine alone.</summary>
    public static bool Is(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    /// <summary>
    /// Whether a request is for this machine by its <c>Host</c>. A web page that has made its own name resolve to 127.0.0.1 connects from
    /// here too, but asks for another host; so does a reverse proxy, if it passes on the host that it was asked for.
    /// </summary>
    public static bool IsAskedFor(HttpRequest request)
    {
        var host = request.Host.Host;
        return host.ToLowerInvariant() is "" or "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var named) && Is(named));
    }
}
