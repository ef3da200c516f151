using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.GrpcClient.Tests.Peers;
using Genkit.Sidecar.GrpcClient.Tests.Raw;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient.Tests;

/// <summary>A peer that cannot be reached, or that speaks another protocol than its address names, is distinguished from one that is slow or fails.</summary>
public sealed class ConnectTests(PeerServers peers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_NobodyListens_IsUnreachable()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        // Bound but not listening, so that no other process can take the port.
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = $"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}";

        var status = await StatusAsync(new ClientChannelOptions { Target = GrpcTarget.Parse(address) });

        AssertFailed(status, ConnectFailure.Unreachable, $"{address} refused the connection");
    }

    [Fact]
    public async Task Connect_NoSuchHost_IsUnreachable()
    {
        var status = await StatusAsync(new ClientChannelOptions { Target = GrpcTarget.Parse("http://no-such-host.invalid:50051") });

        AssertFailed(status, ConnectFailure.Unreachable, "http://no-such-host.invalid:50051", "no-such-host.invalid'");
    }

    [Fact]
    public async Task Connect_NoSuchSocketFile_IsUnreachable()
    {
        var status = await StatusAsync(new ClientChannelOptions { Target = GrpcTarget.Parse("unix:/no/such/app.sock") });

        AssertFailed(status, ConnectFailure.Unreachable, "unix:/no/such/app.sock", "no such socket file");
    }

    [Fact]
    public async Task Connect_SocketFileThatNobodyServes_IsUnreachable()
    {
        var folder = Directory.CreateTempSubdirectory("wire-");
        var path = Path.Combine(folder.FullName, "stale.sock");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            var status = await StatusAsync(new ClientChannelOptions { Target = GrpcTarget.Parse($"unix:{path}") });
            AssertFailed(status, ConnectFailure.Unreachable, "refused the connection");
        }

        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n", nameof(ConnectFailure.NotHttp2), "answered with HTTP/1, gRPC needs HTTP/2 without TLS (h2c)")]
    [InlineData("<!DOCTYPE HTML>\n<html><body>505</body></html>", nameof(ConnectFailure.NotHttp2), "answered with HTTP/1")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", nameof(ConnectFailure.NotHttp2), "'SSH-2.0-OpenSSH_'")]
    [InlineData("\u0001\u0002", nameof(ConnectFailure.NotHttp2), "the bytes 0102")]
    [InlineData("\u0000\u0000\u0008\u0006\u0000\u0000\u0000\u0000\u0000", nameof(ConnectFailure.NotHttp2), "the bytes 0000080600")]
    [InlineData("\u0000\u0000", nameof(ConnectFailure.NotHttp2), "the bytes 0000")]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0046", nameof(ConnectFailure.PlaintextToTlsPeer), "speaks TLS: use https://")]
    [InlineData("", nameof(ConnectFailure.Closed), "closed the connection without a word")]
    public async Task Connect_PeerSaysSomethingElse_IsNamed(string answer, string expected, string text)
    {
        foreach (var readsFirst in new[] { true, false, true, false })
        {
            await using var peer = new Http2Peer(async connection =>
            {
                if (readsFirst)
                {
                    await connection.Stream.ReadExactlyAsync(new byte[24], Token);
                }

                await connection.SendRawAsync(Encoding.Latin1.GetBytes(answer));
            });

            var status = await StatusAsync(new ClientChannelOptions { Target = peer.Target });

            AssertFailed(status, Enum.Parse<ConnectFailure>(expected), peer.Address, text);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", nameof(ConnectFailure.TlsToPlaintextPeer), "does not speak TLS: use http://")]
    [InlineData("\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000", nameof(ConnectFailure.TlsToPlaintextPeer), "does not speak TLS: use http://")]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0028", nameof(ConnectFailure.TlsFailed), "TLS handshake")]
    [InlineData("", nameof(ConnectFailure.TlsFailed), "closed the connection in the TLS handshake")]
    public async Task ConnectWithTls_PeerDoesNotDoIt_IsNamed(string answer, string expected, string text)
    {
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.Stream.ReadAtLeastAsync(new byte[100], 100, throwOnEndOfStream: false, Token);
            await connection.SendRawAsync(Encoding.Latin1.GetBytes(answer));
        });
        var target = GrpcTarget.Parse(peer.Address.Replace("http:", "https:", StringComparison.Ordinal));

        var status = await StatusAsync(new ClientChannelOptions { Target = target });

        AssertFailed(status, Enum.Parse<ConnectFailure>(expected), target.ToString(), text);
    }

    [Theory]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    public async Task ConnectWithTls_ServerWithout_IsNamed(PeerKind kind)
    {
        var peer = await peers.GetAsync(kind);
        var target = GrpcTarget.Parse(peer.Target(Transport.Tcp).ToString().Replace("http:", "https:", StringComparison.Ordinal));

        var status = await StatusAsync(new ClientChannelOptions { Target = target });

        AssertFailed(status, ConnectFailure.TlsToPlaintextPeer, $"{target} does not speak TLS: use http://");
    }

    [Theory]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    public async Task ConnectWithoutTls_ServerWith_IsNamed(PeerKind kind)
    {
        var peer = await peers.GetAsync(kind);
        var target = GrpcTarget.Parse(peer.Target(Transport.Tls).ToString().Replace("https:", "http:", StringComparison.Ordinal));

        var status = await StatusAsync(new ClientChannelOptions { Target = target });

        // Some TLS servers send an alert, others hang up.
        Assert.Contains(status.ConnectFailure, new[] { ConnectFailure.PlaintextToTlsPeer, ConnectFailure.Closed });
        AssertFailed(status, status.ConnectFailure, target.ToString(), "https://");
    }

    [Theory]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    public async Task ConnectWithTls_AuthorityUnknown_IsNotTrusted(PeerKind kind)
    {
        var target = (await peers.GetAsync(kind)).Target(Transport.Tls);

        AssertFailed(
            await StatusAsync(new ClientChannelOptions { Target = target }),
            ConnectFailure.CertificateNotTrusted,
            $"the certificate of {target} is not trusted: ");
        AssertFailed(
            await StatusAsync(new ClientChannelOptions { Target = target, CertificateAuthorities = new TestCertificates().Authorities }),
            ConnectFailure.CertificateNotTrusted,
            $"the certificate of {target} is not trusted: ");
    }

    [Theory]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    public async Task ConnectWithTls_OtherName_IsNamedAndMendedByTheAuthority(PeerKind kind)
    {
        var options = (await peers.GetAsync(kind)).Options(Transport.Tls);
        var target = GrpcTarget.Parse(options.Target.ToString().Replace("localhost", "127.0.0.1", StringComparison.Ordinal));

        AssertFailed(
            await StatusAsync(new ClientChannelOptions { Target = target, CertificateAuthorities = options.CertificateAuthorities }),
            ConnectFailure.CertificateForOtherName,
            $"the certificate of {target} is for 'localhost', not for '127.0.0.1'");
        using var wire = new WireChannel(new ClientChannelOptions
        {
            Target = target,
            CertificateAuthorities = options.CertificateAuthorities,
            Authority = "localhost",
        });
        var result = await wire.UnaryAsync("Echo", new Message());
        Assert.Equal(StatusCode.OK, result.Status.Code);
    }

    [Fact]
    public async Task ConnectWithTls_ClientCertificateWanted_IsSentOrNamed()
    {
        var certificates = new TestCertificates();
        using var serverCertificate = certificates.Issue("localhost");
        using var clientCertificate = certificates.Issue("client");
        await using var peer = new Http2Peer(async connection =>
        {
            await using var tls = new SslStream(connection.Stream);
            try
            {
                await tls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificate = serverCertificate,
                        ClientCertificateRequired = true,
                        ApplicationProtocols = [SslApplicationProtocol.Http2],
                        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                    },
                    Token);
            }
            catch (System.Security.Authentication.AuthenticationException)
            {
                return;
            }

            var secure = new Http2Peer.Connection(tls, Token);
            await secure.GreetAsync();
            var stream = await secure.RequestAsync();
            await secure.SendHeadersAsync(stream, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"));
            await secure.StayAsync();
        });
        var target = GrpcTarget.Parse(peer.Address.Replace("http://127.0.0.1", "https://localhost", StringComparison.Ordinal));

        var without = await StatusAsync(new ClientChannelOptions { Target = target, CertificateAuthorities = certificates.Authorities });
        AssertFailed(without, ConnectFailure.TlsFailed, target.ToString());
        var with = await StatusAsync(
            new ClientChannelOptions { Target = target, CertificateAuthorities = certificates.Authorities, ClientCertificate = clientCertificate });
        Assert.Equal(StatusCode.OK, with.Code);
    }

    [Fact]
    public async Task ConnectWithTls_ServerWithoutHttp2_IsNamed()
    {
        var certificates = new TestCertificates();
        using var certificate = certificates.Issue("localhost");
        await using var peer = new Http2Peer(async connection =>
        {
            await using var tls = new SslStream(connection.Stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Token);
            await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, Token);
        });
        var target = GrpcTarget.Parse(peer.Address.Replace("http://127.0.0.1", "https://localhost", StringComparison.Ordinal));

        var status = await StatusAsync(new ClientChannelOptions { Target = target, CertificateAuthorities = certificates.Authorities });

        AssertFailed(status, ConnectFailure.NotHttp2, target.ToString(), "ALPN");
    }

    [Fact]
    public async Task Connect_HandshakeThatNeverEnds_TimesOutForAllWaitingCallsAtOnce()
    {
        await using var peer = new Http2Peer(connection => connection.StayAsync());
        var target = GrpcTarget.Parse(peer.Address.Replace("http:", "https:", StringComparison.Ordinal));
        using var channel = new RawChannel(new ClientChannelOptions { Target = target, ConnectTimeout = TimeSpan.FromMilliseconds(500) });

        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => StatusAsync(channel)));

        Assert.All(statuses, status => AssertFailed(status, ConnectFailure.Unreachable, $"{target} did not accept a connection within 0.5 s"));
        Assert.InRange(peer.Connections, 1, 2);
    }

    [Fact]
    public async Task Connect_GreetingByteByByte_IsUnderstood()
    {
        await using var peer = new Http2Peer(async connection =>
        {
            foreach (var b in new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 })
            {
                await connection.SendRawAsync(new[] { b });
            }

            await connection.Stream.ReadExactlyAsync(new byte[24], Token);
            var stream = await connection.RequestAsync();
            await connection.SendHeadersAsync(stream, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"));
            await connection.StayAsync();
        });

        Assert.Equal(StatusCode.OK, (await StatusAsync(new ClientChannelOptions { Target = peer.Target })).Code);
    }

    [Fact]
    public async Task Connect_PeerSlowToAnswer_IsNotAConnectFailure()
    {
        await using var peer = new Http2Peer(connection => connection.StayAsync());
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", new RawCallOptions { Deadline = TimeSpan.FromMilliseconds(200) }, Token);
        await call.WriteAsync([], endOfStream: true, Token);

        Assert.False(await call.NextAsync());

        Assert.Equal(StatusCode.DeadlineExceeded, call.Status!.Code);
        Assert.Equal(ConnectFailure.None, call.Status.ConnectFailure);
    }

    [Fact]
    public async Task Connect_PeerComesAndGoesAndComes_IsFoundByTheNextCallEachTime()
    {
        var folder = Directory.CreateTempSubdirectory("wire-");
        var path = Path.Combine(folder.FullName, "app.sock");
        using var channel = new RawChannel(new ClientChannelOptions { Target = GrpcTarget.Parse($"unix:{path}") });
        using var established = new SemaphoreSlim(0);
        channel.ConnectionEstablished += () => established.Release();

        for (var i = 0; i < 3; i++)
        {
            var away = await StatusAsync(channel);
            while (i > 0 && away.ConnectFailure == ConnectFailure.None)
            {
                // A call may use the previous connection before the client sees that it has closed.
                Assert.Equal(StatusCode.Unavailable, away.Code);
                away = await StatusAsync(channel);
            }

            Assert.Equal(ConnectFailure.Unreachable, away.ConnectFailure);

            await using var peer = await KestrelPeer.StartAsync(_ => Task.CompletedTask, path);
            Assert.Equal(StatusCode.OK, (await StatusAsync(channel)).Code);
            Assert.Equal(StatusCode.OK, (await StatusAsync(channel)).Code);
            Assert.True(await established.WaitAsync(Timeouts.Default, Token));
            Assert.Equal(0, established.CurrentCount);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Connect_PeerGreetsAndHangsUp_IsUnavailableWhenTheRequestWasNotProcessed()
    {
        for (var i = 0; i < 50; i++)
        {
            await using var peer = new Http2Peer(connection => connection.SendAsync(Http2Peer.Connection.Settings, 0, 0, []));

            var status = await StatusAsync(new ClientChannelOptions { Target = peer.Target });

            // Whether the request was sent depends on the peer's timing.
            Assert.Equal(StatusCode.Unavailable, status.Code);
            Assert.Contains(status.ConnectFailure, new[] { ConnectFailure.None, ConnectFailure.Closed });
        }
    }

    private static void AssertFailed(CallStatus status, ConnectFailure failure, params string[] texts)
    {
        Assert.True(status.ConnectFailure == failure, $"not {failure}: {status}");
        Assert.Equal(StatusCode.Unavailable, status.Code);
        Assert.All(texts, text => Assert.True(status.Message.Contains(text, StringComparison.Ordinal), status.Message));
    }

    private static async Task<CallStatus> StatusAsync(ClientChannelOptions options)
    {
        using var channel = new RawChannel(options);
        return await StatusAsync(channel);
    }

    private static async Task<CallStatus> StatusAsync(RawChannel channel)
    {
        await using var call = channel.StartCall("/a.B/C", RawCallOptions.Default, Token);
        await call.WriteAsync(new byte[10], endOfStream: true, Token);
        await call.DrainAsync();
        return call.Status!;
    }
}
