using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.Grpc.Tests.Peers;

namespace Genkit.Sidecar.Grpc.Tests;

/// <summary>A peer that cannot be reached, or is not what its address says, is told apart from one that is slow or fails.</summary>
public sealed class ConnectTests(PeerServers peers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_NobodyListens_IsUnreachable()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        // Bound and not listening: nobody else can take the port.
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = $"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}";

        var status = await StatusAsync(new GrpcChannelOptions { Target = GrpcTarget.Parse(address) });

        AssertFailed(status, GrpcConnectFailure.Unreachable, $"{address} refused the connection");
    }

    [Fact]
    public async Task Connect_NoSuchHost_IsUnreachable()
    {
        var status = await StatusAsync(new GrpcChannelOptions { Target = GrpcTarget.Parse("http://no-such-host.invalid:50051") });

        AssertFailed(status, GrpcConnectFailure.Unreachable, "http://no-such-host.invalid:50051", "no-such-host.invalid'");
    }

    [Fact]
    public async Task Connect_NoSuchSocketFile_IsUnreachable()
    {
        var status = await StatusAsync(new GrpcChannelOptions { Target = GrpcTarget.Parse("unix:/no/such/app.sock") });

        AssertFailed(status, GrpcConnectFailure.Unreachable, "unix:/no/such/app.sock", "no such socket file");
    }

    [Fact]
    public async Task Connect_SocketFileThatNobodyServes_IsUnreachable()
    {
        var folder = Directory.CreateTempSubdirectory("wire-");
        var path = Path.Combine(folder.FullName, "stale.sock");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            var status = await StatusAsync(new GrpcChannelOptions { Target = GrpcTarget.Parse($"unix:{path}") });
            AssertFailed(status, GrpcConnectFailure.Unreachable, "refused the connection");
        }

        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n", GrpcConnectFailure.NotHttp2, "answered with HTTP/1, gRPC needs HTTP/2 without TLS (h2c)")]
    [InlineData("<!DOCTYPE HTML>\n<html><body>505</body></html>", GrpcConnectFailure.NotHttp2, "answered with HTTP/1")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", GrpcConnectFailure.NotHttp2, "'SSH-2.0-OpenSSH_'")]
    [InlineData("\u0001\u0002", GrpcConnectFailure.NotHttp2, "the bytes 0102")]
    [InlineData("\u0000\u0000\u0008\u0006\u0000\u0000\u0000\u0000\u0000", GrpcConnectFailure.NotHttp2, "the bytes 0000080600")]
    [InlineData("\u0000\u0000", GrpcConnectFailure.NotHttp2, "the bytes 0000")]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0046", GrpcConnectFailure.PlaintextToTlsPeer, "speaks TLS: use https://")]
    [InlineData("", GrpcConnectFailure.Closed, "closed the connection without a word")]
    public async Task Connect_PeerSaysSomethingElse_IsNamed(string answer, GrpcConnectFailure expected, string text)
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

            var status = await StatusAsync(new GrpcChannelOptions { Target = peer.Target });

            AssertFailed(status, expected, peer.Address, text);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", GrpcConnectFailure.TlsToPlaintextPeer, "does not speak TLS: use http://")]
    [InlineData("\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000", GrpcConnectFailure.TlsToPlaintextPeer, "does not speak TLS: use http://")]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0028", GrpcConnectFailure.TlsFailed, "TLS handshake")]
    [InlineData("", GrpcConnectFailure.TlsFailed, "closed the connection in the TLS handshake")]
    public async Task ConnectWithTls_PeerDoesNotDoIt_IsNamed(string answer, GrpcConnectFailure expected, string text)
    {
        await using var peer = new Http2Peer(async connection =>
        {
            await connection.Stream.ReadAtLeastAsync(new byte[100], 100, throwOnEndOfStream: false, Token);
            await connection.SendRawAsync(Encoding.Latin1.GetBytes(answer));
        });
        var target = GrpcTarget.Parse(peer.Address.Replace("http:", "https:", StringComparison.Ordinal));

        var status = await StatusAsync(new GrpcChannelOptions { Target = target });

        AssertFailed(status, expected, target.ToString(), text);
    }

    [Theory]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    public async Task ConnectWithTls_ServerWithout_IsNamed(PeerKind kind)
    {
        var peer = await peers.GetAsync(kind);
        var target = GrpcTarget.Parse(peer.Target(Transport.Tcp).ToString().Replace("http:", "https:", StringComparison.Ordinal));

        var status = await StatusAsync(new GrpcChannelOptions { Target = target });

        AssertFailed(status, GrpcConnectFailure.TlsToPlaintextPeer, $"{target} does not speak TLS: use http://");
    }

    [Theory]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    public async Task ConnectWithoutTls_ServerWith_IsNamed(PeerKind kind)
    {
        var peer = await peers.GetAsync(kind);
        var target = GrpcTarget.Parse(peer.Target(Transport.Tls).ToString().Replace("https:", "http:", StringComparison.Ordinal));

        var status = await StatusAsync(new GrpcChannelOptions { Target = target });

        // Some TLS servers send an alert, others hang up.
        Assert.Contains(status.ConnectFailure, new[] { GrpcConnectFailure.PlaintextToTlsPeer, GrpcConnectFailure.Closed });
        AssertFailed(status, status.ConnectFailure, target.ToString(), "https://");
    }

    [Theory]
    [InlineData(PeerKind.Node)]
    [InlineData(PeerKind.Python)]
    public async Task ConnectWithTls_AuthorityUnknown_IsNotTrusted(PeerKind kind)
    {
        var target = (await peers.GetAsync(kind)).Target(Transport.Tls);

        AssertFailed(
            await StatusAsync(new GrpcChannelOptions { Target = target }),
            GrpcConnectFailure.CertificateNotTrusted,
            $"the certificate of {target} is not trusted: ");
        AssertFailed(
            await StatusAsync(new GrpcChannelOptions { Target = target, CertificateAuthorities = new TestCertificates().Authorities }),
            GrpcConnectFailure.CertificateNotTrusted,
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
            await StatusAsync(new GrpcChannelOptions { Target = target, CertificateAuthorities = options.CertificateAuthorities }),
            GrpcConnectFailure.CertificateForOtherName,
            $"the certificate of {target} is for 'localhost', not for '127.0.0.1'");
        using var wire = new WireChannel(new GrpcChannelOptions
        {
            Target = target,
            CertificateAuthorities = options.CertificateAuthorities,
            Authority = "localhost",
        });
        using var result = await wire.UnaryAsync("Echo", new Message());
        Assert.Equal(GrpcStatusCode.OK, result.Status.Code);
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

        var without = await StatusAsync(new GrpcChannelOptions { Target = target, CertificateAuthorities = certificates.Authorities });
        AssertFailed(without, GrpcConnectFailure.TlsFailed, target.ToString());
        var with = await StatusAsync(
            new GrpcChannelOptions { Target = target, CertificateAuthorities = certificates.Authorities, ClientCertificate = clientCertificate });
        Assert.Equal(GrpcStatusCode.OK, with.Code);
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

        var status = await StatusAsync(new GrpcChannelOptions { Target = target, CertificateAuthorities = certificates.Authorities });

        AssertFailed(status, GrpcConnectFailure.NotHttp2, target.ToString(), "ALPN");
    }

    [Fact]
    public async Task Connect_HandshakeThatNeverEnds_TimesOutForAllWaitingCallsAtOnce()
    {
        await using var peer = new Http2Peer(connection => connection.StayAsync());
        var target = GrpcTarget.Parse(peer.Address.Replace("http:", "https:", StringComparison.Ordinal));
        using var channel = new GrpcChannel(new GrpcChannelOptions { Target = target, ConnectTimeout = TimeSpan.FromMilliseconds(500) });

        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => StatusAsync(channel)));

        Assert.All(statuses, status => AssertFailed(status, GrpcConnectFailure.Unreachable, $"{target} did not accept a connection within 0.5 s"));
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

        Assert.Equal(GrpcStatusCode.OK, (await StatusAsync(new GrpcChannelOptions { Target = peer.Target })).Code);
    }

    [Fact]
    public async Task Connect_PeerSlowToAnswer_IsNotAConnectFailure()
    {
        await using var peer = new Http2Peer(connection => connection.StayAsync());
        using var channel = peer.Channel();
        await using var call = channel.StartCall("/a.B/C", new GrpcCallOptions { Deadline = TimeSpan.FromMilliseconds(200) }, Token);
        await call.WriteAsync(default, endOfStream: true, Token);

        Assert.False(await call.NextAsync());

        Assert.Equal(GrpcStatusCode.DeadlineExceeded, call.Status!.Code);
        Assert.Equal(GrpcConnectFailure.None, call.Status.ConnectFailure);
    }

    [Fact]
    public async Task Connect_PeerComesAndGoesAndComes_IsFoundByTheNextCallEachTime()
    {
        var folder = Directory.CreateTempSubdirectory("wire-");
        var path = Path.Combine(folder.FullName, "app.sock");
        using var channel = new GrpcChannel(new GrpcChannelOptions { Target = GrpcTarget.Parse($"unix:{path}") });
        using var established = new SemaphoreSlim(0);
        channel.ConnectionEstablished += () => established.Release();

        for (var i = 0; i < 3; i++)
        {
            var away = await StatusAsync(channel);
            while (i > 0 && away.ConnectFailure == GrpcConnectFailure.None)
            {
                // A call may be on the last connection before its end is known here.
                Assert.Equal(GrpcStatusCode.Unavailable, away.Code);
                away = await StatusAsync(channel);
            }

            Assert.Equal(GrpcConnectFailure.Unreachable, away.ConnectFailure);

            await using var peer = await KestrelPeer.StartAsync(_ => Task.CompletedTask, path);
            Assert.Equal(GrpcStatusCode.OK, (await StatusAsync(channel)).Code);
            Assert.Equal(GrpcStatusCode.OK, (await StatusAsync(channel)).Code);
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

            var status = await StatusAsync(new GrpcChannelOptions { Target = peer.Target });

            // Whether the request was on its way is a race that the peer decides.
            Assert.Equal(GrpcStatusCode.Unavailable, status.Code);
            Assert.Contains(status.ConnectFailure, new[] { GrpcConnectFailure.None, GrpcConnectFailure.Closed });
        }
    }

    /// <summary>The handler looks at the socket's addresses before it uses the connection, and says so in its own way where a reset came first.</summary>
    [Fact]
    public void Connect_ConnectionIsResetBeforeItIsUsed_IsClosed()
    {
        var status = CallFailure.From(
            new SocketException((int)SocketError.NotConnected), GrpcTarget.Parse("http://127.0.0.1:1"), wasSent: false, wasResent: false, connectFailure: null);

        AssertFailed(status, GrpcConnectFailure.Closed, "http://127.0.0.1:1 closed the connection before the request was sent");
    }

    private static void AssertFailed(GrpcStatus status, GrpcConnectFailure failure, params string[] texts)
    {
        Assert.True(status.ConnectFailure == failure, $"not {failure}: {status}");
        Assert.Equal(GrpcStatusCode.Unavailable, status.Code);
        Assert.All(texts, text => Assert.True(status.Message.Contains(text, StringComparison.Ordinal), status.Message));
    }

    private static async Task<GrpcStatus> StatusAsync(GrpcChannelOptions options)
    {
        using var channel = new GrpcChannel(options);
        return await StatusAsync(channel);
    }

    private static async Task<GrpcStatus> StatusAsync(GrpcChannel channel)
    {
        await using var call = channel.StartCall("/a.B/C", GrpcCallOptions.Default, Token);
        await call.WriteAsync(new ReadOnlySequence<byte>(new byte[10]), endOfStream: true, Token);
        await call.DrainAsync();
        return call.Status!;
    }
}
