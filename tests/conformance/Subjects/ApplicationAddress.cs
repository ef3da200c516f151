using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>The address of an application, and the certificate authorities to trust.</summary>
internal sealed class ApplicationAddress
{
    private const string UnixPrefix = "unix:";
    private const string Forms = "write http://host:port, https://host:port or unix:/path";

    private readonly string _text;

    /// <param name="text"><c>http://host:port</c> for HTTP/2 without TLS, <c>https://host:port</c>, <c>unix:/path</c> or <c>unix:///path</c>.</param>
    /// <param name="authoritiesFile">PEM file of the trusted certificate authorities, or null for the system's.</param>
    /// <exception cref="FormatException">The address is malformed. The message gives the reason.</exception>
    /// <exception cref="CryptographicException">The file has no certificate.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public ApplicationAddress(string text, string? authoritiesFile = null)
    {
        _text = text;
        (Url, EndPoint) = text.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase) ? OfSocket(text[UnixPrefix.Length..]) : OfHost(text);
        AuthoritiesFile = authoritiesFile;
        Authorities = authoritiesFile is null ? null : Read(authoritiesFile);
    }

    /// <summary>The HTTP URL. For a Unix socket, a placeholder.</summary>
    public Uri Url { get; }

    /// <summary>The endpoint to connect to.</summary>
    public EndPoint EndPoint { get; }

    public string? AuthoritiesFile { get; }

    /// <summary>The certificates of <see cref="AuthoritiesFile"/>, or null if there is no file.</summary>
    public X509Certificate2Collection? Authorities { get; }

    /// <summary>The address as it was given.</summary>
    public override string ToString() => _text;

    private static (Uri Url, EndPoint EndPoint) OfSocket(string path)
    {
        path = path.StartsWith("///", StringComparison.Ordinal) ? path[2..] : path;
        if (!path.StartsWith('/') || path.StartsWith("//", StringComparison.Ordinal))
        {
            throw new FormatException($"'{UnixPrefix}{path}' has no absolute path: {Forms}");
        }

        try
        {
            return (new Uri("http://localhost"), new UnixDomainSocketEndPoint(path));
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"'{UnixPrefix}{path}' is not a path of a Unix socket: {e.Message}", e);
        }
    }

    private static (Uri Url, EndPoint EndPoint) OfHost(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
        && url is { Host.Length: > 0, Port: > 0, UserInfo: "", PathAndQuery: "/", Fragment: "" }
            ? (url, new DnsEndPoint(url.IdnHost, url.Port))
            : throw new FormatException($"'{text}' is not an address of an application: {Forms}");

    private static X509Certificate2Collection Read(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("it has no certificate in PEM format");
    }
}
