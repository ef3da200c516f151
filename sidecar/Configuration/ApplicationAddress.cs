using System.Globalization;

namespace Genkit.Sidecar.Configuration;

/// <summary>Where the application serves gRPC: <c>http://</c> (cleartext HTTP/2), <c>https://</c> or a Unix socket.</summary>
internal sealed record ApplicationAddress
{
    private ApplicationAddress(string text, string listenAddress)
    {
        Text = text;
        ListenAddress = listenAddress;
    }

    /// <summary>Where the application is looked for if no address was given.</summary>
    public static ApplicationAddress Default { get; } = Loopback(50051);

    public string Text { get; }

    /// <summary>The form that gRPC servers of other languages take as the address to bind: <c>host:port</c> or <c>unix:/path</c>.</summary>
    public string ListenAddress { get; }

    public string? SocketPath { get; private init; }

    public bool IsTls { get; private init; }

    /// <summary>Whether the application shares this process's loopback, as far as the address tells: with a Unix socket it most likely does.</summary>
    public bool IsOnLoopback { get; private init; }

    public static ApplicationAddress Loopback(int port) =>
        Parse(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")).Value!;

    public static Parsed<ApplicationAddress> Parse(string text)
    {
        if (text.StartsWith(Configuration.SocketPath.Scheme, StringComparison.Ordinal))
        {
            return ParseSocket(text);
        }

        var address = IsHostAndPort(text) ? "http://" + text : text;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
        {
            return Parsed<ApplicationAddress>.Bad($"{WebAddress.Shown(text)} is not an address of a gRPC server");
        }

        if (uri.UserInfo.Length > 0)
        {
            return Parsed<ApplicationAddress>.Bad($"{WebAddress.Shown(text)} was given with a user name, which has no meaning here");
        }

        if (uri.PathAndQuery != "/" || uri.Fragment.Length > 0)
        {
            return Parsed<ApplicationAddress>.Bad($"{WebAddress.Shown(text)} has more than a host and a port");
        }

        if (uri.Port == 0)
        {
            return Parsed<ApplicationAddress>.Bad($"{WebAddress.Shown(text)} has no usable port");
        }

        var host = string.Create(CultureInfo.InvariantCulture, $"{uri.Host}:{uri.Port}");
        return Parsed<ApplicationAddress>.Good(new($"{uri.Scheme}://{host}", host) { IsTls = uri.Scheme == "https", IsOnLoopback = uri.IsLoopback });
    }

    public override string ToString() => Text;

    /// <summary>What GENKIT_SIDECAR_LISTEN holds and servers print, and so what people paste.</summary>
    private static bool IsHostAndPort(string text) =>
        text.LastIndexOf(':') is > 0 and var colon
        && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _)
        && !text.Contains("://", StringComparison.Ordinal);

    private static Parsed<ApplicationAddress> ParseSocket(string text)
    {
        var path = Configuration.SocketPath.Parse(text);
        return path.Value is null
            ? Parsed<ApplicationAddress>.Bad(path.Problem!)
            : Parsed<ApplicationAddress>.Good(new(Configuration.SocketPath.Scheme + path.Value, Configuration.SocketPath.Scheme + path.Value) { SocketPath = path.Value, IsOnLoopback = true });
    }
}
