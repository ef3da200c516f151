using System.Net;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Http;

namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>
/// Decides which callers are allowed. The API has no authentication, so this refuses web pages: one that has made its own name resolve to a loopback
/// address says so in Host, another in Origin, and where a browser sends neither, it says that the request crosses sites.
/// </summary>
internal sealed class Callers(ReflectionV1Settings settings)
{
    /// <summary>Returns a message why a request is refused; null if it is not.</summary>
    public string? WhyRefused(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (!Loopback.IsAskedFor(context.Request) && !IsAllowed(context.Request.Host.Host, context.Connection.LocalIpAddress))
        {
            return $"Host must be localhost, a loopback address or one of {ReflectionV1SettingTable.ReflectionV1AllowHost.Flag}";
        }

        if (headers.Origin.Count > 0)
        {
            return Uri.TryCreate(headers.Origin, UriKind.Absolute, out var origin) && (origin.IsLoopback || IsAllowed(origin.Host, local: null))
                ? null
                : $"Origin must be on localhost, a loopback address or one of {ReflectionV1SettingTable.ReflectionV1AllowHost.Flag}";
        }

        return headers["Sec-Fetch-Site"] == "cross-site" ? "pages of other sites may not ask" : null;
    }

    /// <param name="host">Name or address, an IPv6 one in brackets.</param>
    /// <param name="local">The address that was connected to. A page cannot have a name in its stead.</param>
    private bool IsAllowed(string host, IPAddress? local) =>
        settings.AllowedHosts.Contains(host.Trim('[', ']'), StringComparer.OrdinalIgnoreCase)
        || (local is not null && IPAddress.TryParse(host.Trim('[', ']'), out var address) && Plain(address).Equals(Plain(local)));

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
