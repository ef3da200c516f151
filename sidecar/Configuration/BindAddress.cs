using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Genkit.Sidecar.Configuration;

/// <summary>Address and port to listen at, as <c>HOST:PORT</c> becomes them.</summary>
internal static class BindAddress
{
    /// <summary>What <see cref="Parse"/> takes, worded for users.</summary>
    public const string Accepts = "host:port with the IP address of an interface, localhost or * as host";

    public static Parsed<IPEndPoint> Parse(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
        {
            return Parsed<IPEndPoint>.Bad($"{WebAddress.Shown(text)} is a URL");
        }

        // The last colon of an address in brackets is its own.
        var colon = text.EndsWith(']') ? -1 : text.LastIndexOf(':');
        var (host, digits) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        if (digits.Length == 0 || !digits.All(char.IsAsciiDigit))
        {
            return Parsed<IPEndPoint>.Bad($"{QuotedText.Text(text)} has no port");
        }

        if (!ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return Parsed<IPEndPoint>.Bad($"{QuotedText.Text(text)} has a port over {ushort.MaxValue}");
        }

        // A name may stand for several addresses, or for another one tomorrow.
        return Host(host) is { } address
            ? Parsed<IPEndPoint>.Good(new IPEndPoint(address, port))
            : Parsed<IPEndPoint>.Bad($"{QuotedText.Text(text)} {Complaint(host)}");
    }

    private static string Complaint(string host) =>
        host.Length == 0 ? "has no host"
        : host.Contains(':') && IPAddress.TryParse(host, out _) ? $"has an IPv6 address that is not in brackets ([{host}])"
        : "has a host that is no address of this machine's";

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
