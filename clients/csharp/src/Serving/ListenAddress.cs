using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Genkit.Sidecar.Client;

/// <summary>An address to listen on: <c>HOST:PORT</c> or <c>unix:/PATH</c>.</summary>
internal sealed class ListenAddress
{
    public const string Variable = "GENKIT_SIDECAR_LISTEN";

    private const string Default = "127.0.0.1:50051";
    private const string UnixPrefix = "unix:";

    private readonly string _text;

    private ListenAddress(string text, EndPoint endPoint) => (_text, EndPoint) = (text, endPoint);

    public EndPoint EndPoint { get; }

    public override string ToString() => _text;

    /// <summary>Returns the given address, else the address in the variable, else 127.0.0.1:50051.</summary>
    /// <exception cref="ArgumentException">The address is malformed, or its host is unknown.</exception>
    public static ListenAddress Choose(string? asked) => string.IsNullOrEmpty(asked) ? OfSidecar() ?? Parse(Default) : Parse(asked);

    /// <summary>Returns the address in the variable, or null if it is not set.</summary>
    /// <exception cref="ArgumentException">The address is malformed, or its host is unknown.</exception>
    public static ListenAddress? OfSidecar() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } told ? Parse(told) : null;

    /// <summary>Returns the address, with port 0 replaced by the port that the system selected.</summary>
    public string With(EndPoint bound) =>
        bound is IPEndPoint { Port: var port } ? string.Create(CultureInfo.InvariantCulture, $"{_text[..(_text.LastIndexOf(':') + 1)]}{port}") : _text;

    /// <summary>Returns the error for an address that cannot be bound.</summary>
    public InvalidOperationException CannotListen(Exception cause)
    {
        var reason = cause;
        while (reason is not SocketException && reason.InnerException is { } inner)
        {
            reason = inner;
        }

        return new InvalidOperationException($"cannot listen on {_text}: {reason.Message}. Set {Variable}, or pass another address as the argument", cause);
    }

    /// <summary>Removes the socket file that a killed process left behind, because it would make binding fail.</summary>
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
            // A server is listening on it, or it is not a socket. Binding reports the error.
        }
    }

    /// <summary>Binds. A Unix socket gets mode 0600 before clients can connect.</summary>
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
                throw new ArgumentException($"the path of '{text}' is too long for a Unix socket, which allows about 100 bytes. Shorten {Variable} or the argument", e);
            }
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            throw new ArgumentException($"'{text}' is not an address to listen on. Set {Variable} or the argument to an address such as 127.0.0.1:50051 or unix:/run/app.sock");
        }

        var host = text[..colon];
        try
        {
            return new ListenAddress(text, new IPEndPoint(IPAddress.TryParse(host, out var ip) ? ip : Dns.GetHostAddresses(host)[0], port));
        }
        catch (SocketException e)
        {
            throw new ArgumentException($"cannot resolve the host of '{text}', the address to listen on: {e.Message}. Correct {Variable} or the argument", e);
        }
    }

    // Only a socket cannot be opened as a file. A file that this user may not open is never removed.
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
