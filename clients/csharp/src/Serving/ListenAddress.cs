using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Genkit.Sidecar.Client;

/// <summary>Where to listen: <c>HOST:PORT</c> or <c>unix:/PATH</c>.</summary>
internal sealed class ListenAddress
{
    public const string Variable = "GENKIT_SIDECAR_LISTEN";

    private const string Default = "127.0.0.1:50051";
    private const string UnixPrefix = "unix:";

    private readonly string _text;

    private ListenAddress(string text, EndPoint endPoint) => (_text, EndPoint) = (text, endPoint);

    public EndPoint EndPoint { get; }

    public override string ToString() => _text;

    /// <summary>The address that was asked for, else the variable's, else 127.0.0.1:50051.</summary>
    /// <exception cref="ArgumentException">It is no address, or its host is not known.</exception>
    public static ListenAddress Choose(string? asked) => string.IsNullOrEmpty(asked) ? OfSidecar() ?? Parse(Default) : Parse(asked);

    /// <summary>The variable's address; null where it is not set.</summary>
    /// <exception cref="ArgumentException">It is no address, or its host is not known.</exception>
    public static ListenAddress? OfSidecar() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } told ? Parse(told) : null;

    /// <summary>The address with the port that the system chose where 0 was given.</summary>
    public string With(EndPoint bound) =>
        bound is IPEndPoint { Port: var port } ? string.Create(CultureInfo.InvariantCulture, $"{_text[..(_text.LastIndexOf(':') + 1)]}{port}") : _text;

    /// <summary>Says why it cannot be had.</summary>
    public InvalidOperationException Untaken(Exception cause)
    {
        var reason = cause;
        while (reason is not SocketException && reason.InnerException is { } inner)
        {
            reason = inner;
        }

        return new InvalidOperationException($"cannot listen on {_text}: {reason.Message}. {Variable} or the argument names another address", cause);
    }

    /// <summary>Removes the file that a killed process left behind, which would be in the way.</summary>
    public void RemoveStaleSocket()
    {
        if (EndPoint is not UnixDomainSocketEndPoint || !Path.Exists($"{EndPoint}"))
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(EndPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket($"{EndPoint}"))
        {
            File.Delete($"{EndPoint}");
        }
        catch (SocketException)
        {
            // Somebody serves it, or it is no socket: binding says so.
        }
    }

    /// <summary>Binds. A Unix socket is its owner's alone, before anybody can connect.</summary>
    public static Socket Bind(EndPoint endPoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        if (endPoint is UnixDomainSocketEndPoint && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode($"{endPoint}", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return socket;
    }

    private static ListenAddress Parse(string text)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal) && text.Length > UnixPrefix.Length)
        {
            try
            {
                return new ListenAddress(text, new UnixDomainSocketEndPoint(Path.GetFullPath(text[UnixPrefix.Length..])));
            }
            catch (ArgumentException e)
            {
                throw new ArgumentException($"the path of '{text}' is too long for a Unix socket, which takes about 100 bytes. {Variable} or the argument names it", e);
            }
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            throw new ArgumentException($"'{text}' is no address to listen on, such as 127.0.0.1:50051 or unix:/run/app.sock. {Variable} or the argument names it");
        }

        var host = text[..colon];
        try
        {
            return new ListenAddress(text, new IPEndPoint(IPAddress.TryParse(host, out var ip) ? ip : Dns.GetHostAddresses(host)[0], port));
        }
        catch (SocketException e)
        {
            throw new ArgumentException($"the host of '{text}', the address to listen on, is not known: {e.Message}. {Variable} or the argument names it", e);
        }
    }

    // Only a socket cannot be opened as a file; what is not ours to open is never removed.
    private static bool IsSocket(string path)
    {
        try
        {
            using var _ = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
