using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>
/// Opens connections for one channel's SocketsHttpHandler: TCP or Unix socket, and TLS. Everything that goes wrong, up to the peer's first bytes of HTTP/2, becomes a
/// <see cref="ConnectException"/>, which the waiting calls get before the handler does.
/// </summary>
internal sealed class Connector(ClientChannelOptions options, Connections connections)
{
    private readonly GrpcTarget _target = options.Target;
    private readonly SslStreamCertificateContext? _clientCertificate = options.ClientCertificate is { } certificate
        ? SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true)
        : null;

    /// <exception cref="ConnectException">No connection came about.</exception>
    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ConnectInTimeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ConnectException e)
        {
            connections.Failed(e);
            throw;
        }
    }

    private async ValueTask<Stream> ConnectInTimeAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var connection = new Connection(connections, new PeerGreeting(_target, connections));
        try
        {
            var socket = await DialAsync(either.Token).ConfigureAwait(false);
            Stream stream = _target.IsTls
                ? await HandshakeAsync(new TlsProbeStream(socket), connection, either.Token).ConfigureAwait(false)
                : new PlaintextStream(socket, connection);
            connection.Opened(stream);
            return stream;
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ConnectException(
                ConnectFailure.Unreachable,
                $"{_target} did not accept a connection within {options.ConnectTimeout.TotalSeconds:0.###} s",
                e);
        }
    }

    private async ValueTask<Socket> DialAsync(CancellationToken cancellationToken)
    {
        EndPoint endPoint;
        Socket socket;
        if (_target.SocketPath is { } path)
        {
            endPoint = new UnixDomainSocketEndPoint(path);
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        }
        else
        {
            endPoint = new DnsEndPoint(_target.Address.IdnHost, _target.Address.Port);
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            TcpKeepAlive.Set(socket, options.KeepAliveTimeout);
        }

        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ConnectException(ConnectFailure.Unreachable, Unreachable(e), e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private string Unreachable(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => $"{_target} refused the connection",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $"{_target} cannot be reached: there is no host '{_target.Address.Host}'",
        SocketError.AccessDenied when _target.SocketPath is not null => $"{_target} cannot be reached: no permission to use that socket",
        _ when _target.SocketPath is { } path && !File.Exists(path) => $"{_target} cannot be reached: there is no such socket file",
        _ => $"{_target} cannot be reached: {e.Message}",
    };

    private async ValueTask<Stream> HandshakeAsync(TlsProbeStream probe, Connection connection, CancellationToken cancellationToken)
    {
        var tls = new TlsStream(probe, connection);
        ConnectException? refusal = null;
        try
        {
            await tls.AuthenticateAsClientAsync(TlsOptions(e => refusal = e), cancellationToken).ConfigureAwait(false);
            return tls.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2
                ? tls
                : throw new ConnectException(
                    ConnectFailure.NotHttp2,
                    $"{_target} did not agree to HTTP/2 in the TLS handshake (ALPN 'h2'): is this the gRPC port?");
        }
        catch (Exception e)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw e switch
            {
                ConnectException or OperationCanceledException => e,
                _ when refusal is not null => refusal,
                _ when probe.IsPlaintext => new ConnectException(ConnectFailure.TlsToPlaintextPeer, $"{_target} does not speak TLS: use http://", e),
                _ when probe.IsSilent => new ConnectException(
                    ConnectFailure.TlsFailed,
                    $"{_target} closed the connection in the TLS handshake without an answer: it may not speak TLS (http://)",
                    e),
                AuthenticationException or IOException => new ConnectException(
                    ConnectFailure.TlsFailed,
                    $"the TLS handshake with {_target} failed: {e.GetBaseException().Message}",
                    e),
                _ => e,
            };
        }
    }

    private SslClientAuthenticationOptions TlsOptions(Action<ConnectException> refuse)
    {
        var name = TlsName();
        var tls = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            ClientCertificateContext = _clientCertificate,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (errors != SslPolicyErrors.None)
                {
                    refuse(Refusal(name, certificate, chain, errors));
                }

                return errors == SslPolicyErrors.None;
            },
        };
        if (options.CertificateAuthorities is { Count: > 0 } authorities)
        {
            // A policy of its own per handshake: the chain that is built with it belongs to that handshake.
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            tls.CertificateChainPolicy = policy;
        }

        return tls;
    }

    private string TlsName() => options.Authority is { Length: > 0 } authority && Uri.TryCreate($"https://{authority}", UriKind.Absolute, out var address)
        ? address.IdnHost
        : _target.Address.IdnHost;

    private ConnectException Refusal(string name, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.RemoteCertificateNameMismatch)
        {
            var names = certificate is X509Certificate2 leaf ? NamesOf(leaf) : "";
            return new ConnectException(
                ConnectFailure.CertificateForOtherName,
                names.Length > 0
                    ? $"the certificate of {_target} is for {names}, not for '{name}'"
                    : $"the certificate of {_target} is not for '{name}'");
        }

        var reasons = chain is null
            ? "it sent none"
            : string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim().TrimEnd('.')).Where(s => s.Length > 0).Distinct());
        return new ConnectException(
            ConnectFailure.CertificateNotTrusted,
            $"the certificate of {_target} is not trusted: {(reasons.Length > 0 ? reasons : errors.ToString())}");
    }

    private static string NamesOf(X509Certificate2 certificate)
    {
        // A wildcard certificate may have hundreds.
        const int MaxNames = 5;
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString())))
            .Take(MaxNames);
        return string.Join(", ", names.Select(n => $"'{n}'"));
    }
}
