using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Speaks TLS on localhost for an application that does not, with a certificate that only its own authority, itself, vouches for.</summary>
internal sealed class TlsProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly X509Certificate2 _certificate = NewCertificate();
    private readonly int _port;
    private readonly Task _serving;

    /// <param name="port">Where the application is on loopback.</param>
    public TlsProxy(int port)
    {
        _port = port;
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address => $"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>The certificate in PEM form.</summary>
    public string Authority => _certificate.ExportCertificatePem();

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _serving;
        _listener.Dispose();
        _certificate.Dispose();
        _over.Dispose();
    }

    private static X509Certificate2 NewCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_over.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task CarryAsync(TcpClient caller)
    {
        using (caller)
        {
            try
            {
                await using var outer = new SslStream(caller.GetStream());
                await outer.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = _certificate, ApplicationProtocols = [SslApplicationProtocol.Http2] }, _over.Token);
                using var application = new TcpClient();
                await application.ConnectAsync(IPAddress.Loopback, _port, _over.Token);
                await using var inner = application.GetStream();
                await Task.WhenAny(outer.CopyToAsync(inner, _over.Token), inner.CopyToAsync(outer, _over.Token));
            }
            catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException)
            {
                // The caller has hung up, as one does that does not trust the certificate.
            }
        }
    }
}
