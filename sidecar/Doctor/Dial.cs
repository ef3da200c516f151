using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Doctor;

/// <summary>The two steps before any protocol, as every peer has them: its name, and a connection that is closed again.</summary>
internal static class Dial
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    public static EndPoint EndPointOf(ApplicationAddress address)
    {
        if (address.SocketPath is { } path)
        {
            return new UnixDomainSocketEndPoint(path);
        }

        var host = new Uri(address.Text);
        return new DnsEndPoint(host.IdnHost, host.Port);
    }

    /// <exception cref="SocketException">The name is unknown, or the resolver could not be reached.</exception>
    public static async Task<string> LookUpAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out _))
        {
            return "an address already";
        }

        var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken);
        return addresses.Length == 0 ? throw new SocketException((int)SocketError.HostNotFound) : string.Join(", ", addresses.Select(address => address.ToString()));
    }

    /// <exception cref="SocketException">No connection came about.</exception>
    public static async Task<string> ConnectAsync(EndPoint peer, CancellationToken cancellationToken)
    {
        using var socket = peer is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(peer, cancellationToken);
        return socket.RemoteEndPoint is IPEndPoint { Address: var address, Port: var port }
            ? $"connected to {new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port)}"
            : "connected";
    }

    /// <summary>Tries until a connection is accepted.</summary>
    public static async Task UntilAcceptedAsync(EndPoint peer, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await ConnectAsync(peer, cancellationToken);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }
}
