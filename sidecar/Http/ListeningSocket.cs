using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Genkit.Sidecar.Http;

/// <summary>
/// Binds the socket of a listener before its web application is built: a port that is taken then costs a system call, and each of a listener's addresses has
/// its own error.
/// </summary>
internal static class ListeningSocket
{
    private const int Backlog = 512;

    /// <summary>Binds and listens. Callers that connect wait until the socket is served.</summary>
    /// <param name="wanted">An IP address with a port, or a Unix socket, which gets mode 0600.</param>
    /// <returns>The socket, or why there is none, worded for users.</returns>
    public static (Socket? Socket, string? Problem) Open(EndPoint wanted)
    {
        if (wanted is UnixDomainSocketEndPoint && SocketFile.Clear($"{wanted}").Problem is { } problem)
        {
            return (null, problem);
        }

        Socket? socket = null;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(wanted);
            if (wanted is UnixDomainSocketEndPoint && !OperatingSystem.IsWindows())
            {
                // Before it listens, and so before another user can connect.
                File.SetUnixFileMode($"{wanted}", UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            socket.Listen(Backlog);
            return (socket, null);
        }
        catch (Exception exception) when (exception is IOException or SocketException or UnauthorizedAccessException)
        {
            socket?.Dispose();
            return (null, exception is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } ? "something listens there already" : exception.Message);
        }
    }
}
