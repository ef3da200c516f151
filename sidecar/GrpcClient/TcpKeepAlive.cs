using System.Net.Sockets;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>Lets the kernel find a connection whose packets vanish, while it is idle and while data waits to be acknowledged.</summary>
internal static class TcpKeepAlive
{
    private const int Probes = 3;

    // Linux: https://man7.org/linux/man-pages/man7/tcp.7.html, TCP_USER_TIMEOUT, in ms.
    private const int LinuxTcpLevel = 6;
    private const int LinuxUserTimeout = 18;

    /// <param name="socket">A TCP socket.</param>
    /// <param name="timeout">Time without an acknowledgement after which the connection is dead; zero for the system's own.</param>
    public static void Set(Socket socket, TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
        {
            return;
        }

        var step = Math.Max(1, (int)(timeout.TotalSeconds / (Probes + 1)));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, step);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, step);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(LinuxTcpLevel, LinuxUserTimeout, BitConverter.GetBytes((int)timeout.TotalMilliseconds));
        }
    }
}
