using System.Text;

namespace Genkit.Sidecar.Configuration;

/// <summary>The path of a Unix socket, as <c>unix:/path</c> or <c>unix:///path</c> becomes one.</summary>
internal static class SocketPath
{
    public const string Scheme = "unix:";

    // sockaddr_un.sun_path with its terminating zero; macOS has 104, Linux 108.
    private static readonly int s_longest = OperatingSystem.IsMacOS() ? 103 : 107;

    public static Parsed<string> Parse(string text)
    {
        var path = text[Scheme.Length..];
        if (path.StartsWith("///", StringComparison.Ordinal))
        {
            path = path[2..];
        }

        if (!path.StartsWith('/') || path.StartsWith("//", StringComparison.Ordinal) || path.EndsWith('/'))
        {
            return Parsed<string>.Bad($"{QuotedText.Text(text)} needs the absolute path of a socket");
        }

        return Encoding.UTF8.GetByteCount(path) > s_longest
            ? Parsed<string>.Bad($"{QuotedText.Text(text)} is longer than the {s_longest} bytes that a socket path can have")
            : Parsed<string>.Good(path);
    }
}
