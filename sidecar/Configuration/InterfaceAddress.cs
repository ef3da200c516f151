using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Genkit.Sidecar.Configuration;

/// <summary><c>HOST:PORT</c> of an interface of this machine's: what can be bound. Names but <c>localhost</c> are refused, as one may stand for several addresses, or for another one tomorrow.</summary>
internal static class InterfaceAddress
{
    public static Parsed<IPEndPoint> Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return Parsed<IPEndPoint>.Bad($"{Quoted.Text(text)} has no port");
        }

        return Host(text[..colon]) is { } address
            ? Parsed<IPEndPoint>.Good(new IPEndPoint(address, port))
            : Parsed<IPEndPoint>.Bad($"{Quoted.Text(text)} has a host that is no address of this machine's");
    }

    private static IPAddress? Host(string text) => text switch
    {
        "localhost" => IPAddress.Loopback,
        "*" => Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any,
        ['[', .. var host, ']'] when IPAddress.TryParse(host, out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6 => ip,

        // "1" would be read as 0.0.0.1.
        _ when IPAddress.TryParse(text, out var ip) && ip.ToString() == text && ip.AddressFamily == AddressFamily.InterNetwork => ip,
        _ => null,
    };
}
