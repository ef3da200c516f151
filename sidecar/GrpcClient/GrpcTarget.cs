using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>Where a peer is: <c>http://host:port</c> (HTTP/2 without TLS), <c>https://host:port</c>, <c>unix:/path</c> or <c>unix:///path</c>.</summary>
internal sealed class GrpcTarget
{
    // sun_path of Linux has 108 bytes, the last one is a NUL.
    private const int MaxSocketPathBytes = 107;
    private const string UnixPrefix = "unix:";

    private readonly string _text;

    private GrpcTarget(string text, Uri address, string? socketPath)
    {
        _text = text;
        Address = address;
        SocketPath = socketPath;
    }

    /// <summary>Whether TLS is spoken to the peer.</summary>
    public bool IsTls => Address.Scheme == Uri.UriSchemeHttps;

    /// <summary>The path of the Unix socket, null for TCP.</summary>
    public string? SocketPath { get; }

    /// <summary>What HTTP is told: the address itself, or a stand-in for a Unix socket.</summary>
    public Uri Address { get; }

    /// <summary>Reads an address.</summary>
    /// <param name="text">The address.</param>
    /// <param name="target">The result, null when the address is wrong.</param>
    /// <param name="error">What is wrong with the address, in words for people; null when nothing is.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out GrpcTarget? target, [NotNullWhen(false)] out string? error)
    {
        target = null;
        text = text?.Trim() ?? "";
        if (text.Length == 0)
        {
            error = "the address is empty: write http://host:port, https://host:port or unix:/path";
            return false;
        }

        return text.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase)
            ? TryParseSocket(text, out target, out error)
            : TryParseUrl(text, out target, out error);
    }

    /// <summary>Reads an address that is known to be right.</summary>
    /// <exception cref="FormatException">The address is wrong; the message says how.</exception>
    public static GrpcTarget Parse(string text) => TryParse(text, out var target, out var error) ? target : throw new FormatException(error);

    /// <summary>The address as it was given.</summary>
    public override string ToString() => _text;

    private static bool TryParseSocket(string text, out GrpcTarget? target, out string? error)
    {
        target = null;
        var path = text[UnixPrefix.Length..];
        if (path.StartsWith("//", StringComparison.Ordinal))
        {
            path = path[2..];
            if (path.Length > 0 && path[0] != '/')
            {
                error = $"'{text}' names a host before the path: write unix:/path or unix:///path";
                return false;
            }
        }

        error = path switch
        {
            "" or "/" => $"'{text}' has no path: write unix:/path",
            _ when path[0] != '/' => $"'{text}' is relative: the path of a Unix socket starts with '/'",
            _ when path.Contains('\0') => "the path of the Unix socket has a NUL in it",
            _ when Encoding.UTF8.GetByteCount(path) > MaxSocketPathBytes =>
                $"'{text}' is too long: the path of a Unix socket has at most {MaxSocketPathBytes} bytes",
            _ => null,
        };
        if (error is not null)
        {
            return false;
        }

        target = new GrpcTarget(text, new Uri("http://localhost/"), path);
        return true;
    }

    private static bool TryParseUrl(string text, out GrpcTarget? target, out string? error)
    {
        target = null;
        var schemeEnd = text.IndexOf("://", StringComparison.Ordinal);
        if (schemeEnd <= 0)
        {
            error = $"'{text}' has no scheme: write http://{text.TrimStart('/', ':')} or https://…";
            return false;
        }

        var scheme = text[..schemeEnd].ToLowerInvariant();
        if (scheme is not ("http" or "https"))
        {
            error = $"'{text}' has the scheme '{scheme}': only http, https and unix are known";
            return false;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Host.Length == 0)
        {
            error = $"'{text}' is not a valid address: write {scheme}://host:port";
            return false;
        }

        error = address switch
        {
            // Not repeated in the message: it may hold a password.
            { UserInfo.Length: > 0 } => "the address has user information before the host, which gRPC has no use for: send credentials as metadata",
            { Query.Length: > 0 } => $"'{text}' has a query: an address ends after the port",
            { Fragment.Length: > 0 } => $"'{text}' has a fragment: an address ends after the port",
            { AbsolutePath: not ("" or "/") } => $"'{text}' has the path '{address.AbsolutePath}': an address ends after the port",
            { Port: 0 } => $"'{text}' has the port 0, which nothing can listen on",
            _ => null,
        };
        if (error is not null)
        {
            return false;
        }

        target = new GrpcTarget(text.TrimEnd('/'), address, null);
        return true;
    }
}
