using System.Net.Http;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>Creates channels to an application. They connect at the first call.</summary>
internal static class ApplicationChannel
{
    // The sidecar's default.
    private const int MaxMessageBytes = 90 * 1024 * 1024;

    public static TimeSpan ConnectTimeout { get; } = TimeSpan.FromSeconds(5);

    public static GrpcChannel To(ApplicationAddress address)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) => await ConnectAsync(address, cancellationToken),
            ConnectTimeout = ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            UseProxy = false,

            // Trace context is set by the cases only.
            ActivityHeadersPropagator = null,
        };
        if (address.Authorities is { } authorities)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return GrpcChannel.ForAddress(
            address.Url,
            new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, MaxReceiveMessageSize = MaxMessageBytes, MaxSendMessageSize = null });
    }

    private static async Task<Stream> ConnectAsync(ApplicationAddress address, CancellationToken cancellationToken)
    {
        var socket = address.EndPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.EndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
