using System.Net;
using System.Net.Sockets;

namespace Genkit.Sidecar.Configuration;

/// <summary>Where the sidecar answers probes and shows its metrics: <c>HOST:PORT</c>, a Unix socket, or nowhere.</summary>
internal sealed record HealthAddress
{
    private HealthAddress(string text, EndPoint? endPoint) => (Text, EndPoint) = (text, endPoint);

    public static HealthAddress Off { get; } = new("off", null);

    public string Text { get; }

    /// <summary>What to bind; null for nowhere.</summary>
    public EndPoint? EndPoint { get; }

    public string? SocketPath { get; private init; }

    /// <summary>Where a process on the same machine asks; null if that cannot be told from the address.</summary>
    public EndPoint? AskedAt => EndPoint switch
    {
        IPEndPoint { Port: 0 } => null,

        // [::] takes IPv4 too.
        IPEndPoint ip when ip.Address.Equals(IPAddress.Any) || ip.Address.Equals(IPAddress.IPv6Any) => new IPEndPoint(IPAddress.Loopback, ip.Port),
        _ => EndPoint,
    };

    public static Parsed<HealthAddress> Parse(string text)
    {
        if (text == Off.Text)
        {
            return Parsed<HealthAddress>.Good(Off);
        }

        if (text.StartsWith(Configuration.SocketPath.Scheme, StringComparison.Ordinal))
        {
            var path = Configuration.SocketPath.Parse(text);
            return path.Value is null
                ? Parsed<HealthAddress>.Bad(path.Problem!)
                : Parsed<HealthAddress>.Good(new(text, new UnixDomainSocketEndPoint(path.Value)) { SocketPath = path.Value });
        }

        var parsed = BindAddress.Parse(text);
        return parsed.Value is { } endPoint
            ? Parsed<HealthAddress>.Good(new(text, endPoint))
            : Parsed<HealthAddress>.Bad(parsed.Problem!);
    }

    public override string ToString() => Text;
}
