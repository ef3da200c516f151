using System.Net;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.Conformance.Subjects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Why an application cannot be reached.</summary>
public sealed class ConnectFailureTests : IDisposable
{
    private const string NoHttp2 = "it does not speak HTTP/2, which gRPC needs: it may speak TLS (https://), or be an HTTP/1 server or another one";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("genkit-conformance");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("http://127.0.0.1:1", "it refused the connection")]
    [InlineData("http://no.such.host.invalid:50051", "there is no host 'no.such.host.invalid'")]
    [InlineData("unix:/no/such.sock", "there is no such socket file")]
    [InlineData("unix:///no/such.sock", "there is no such socket file")]
    public async Task Absence_NothingListens_SaysWhy(string address, string reason)
    {
        Assert.Equal(reason, await AbsenceAsync(address));
    }

    [Theory]
    [InlineData("http", NoHttp2)]
    [InlineData("https", "it closed the connection in the TLS handshake: it may not speak TLS (http://)")]
    public async Task Absence_PeerHangsUp_SaysWhy(string scheme, string reason)
    {
        await using var peer = new RawPeer("");

        Assert.Equal(reason, await AbsenceAsync($"{scheme}://127.0.0.1:{peer.Port}"));
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    public async Task Absence_PeerSpeaksAnotherProtocol_SaysSo(string answer)
    {
        await using var peer = new RawPeer(answer);

        Assert.Equal(NoHttp2, await AbsenceAsync($"http://127.0.0.1:{peer.Port}"));
        Assert.Contains("it does not speak TLS (http://)", await AbsenceAsync($"https://127.0.0.1:{peer.Port}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1, "http", NoHttp2)]
    [InlineData(HttpProtocols.Http1, "https", "it does not speak TLS (http://)")]
    [InlineData(HttpProtocols.Http2, "https", "it does not speak TLS (http://)")]
    public async Task Absence_ServerOfAnotherKind_SaysWhichAddressMayBeRight(HttpProtocols protocols, string scheme, string reason)
    {
        await using var server = await StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));

        Assert.Contains(reason, await AbsenceAsync($"{scheme}://127.0.0.1:{new Uri(server.Urls.Single()).Port}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Absence_ServerWithTlsAskedWithout_SaysThatItMaySpeakTls()
    {
        await using var proxy = new TlsProxy(1);

        Assert.Equal(NoHttp2, await AbsenceAsync($"http://localhost:{new Uri(proxy.Address).Port}"));
    }

    [Fact]
    public async Task Absence_CertificateForAnotherName_SaysThatItIsNotTrusted()
    {
        await using var proxy = new TlsProxy(1);
        var authority = Path.Combine(_folder.FullName, "ca.pem");
        await File.WriteAllTextAsync(authority, proxy.Authority, TestContext.Current.CancellationToken);

        var absence = await AbsenceAsync($"https://127.0.0.1:{new Uri(proxy.Address).Port}", authority);

        Assert.StartsWith("its certificate is not trusted: ", absence, StringComparison.Ordinal);
        Assert.Contains("NameMismatch", absence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Absence_ServerOnAUnixSocket_IsThere()
    {
        var path = Path.Combine(_folder.FullName, "app.sock");
        await using var server = await StartAsync(kestrel => kestrel.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http2));

        Assert.Null(await AbsenceAsync($"unix:{path}"));
    }

    [Theory]
    [InlineData("127.0.0.1:50051")]
    [InlineData("ftp://127.0.0.1:50051")]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("http://127.0.0.1:50051/path")]
    [InlineData("http://me@127.0.0.1:50051")]
    [InlineData("unix:app.sock")]
    [InlineData("unix://host/app.sock")]
    [InlineData("unix:/a-path-that-is-longer-than-a-socket-of-any-system-may-have-it-0123456789-0123456789-0123456789-0123456789-0123456789")]
    public void Address_ThatIsNone_SaysSo(string text) => Assert.Throws<FormatException>(() => new ApplicationAddress(text));

    private static async Task<string?> AbsenceAsync(string address, string? authorities = null)
    {
        await using var subject = new ApplicationSubject(new ApplicationAddress(address, authorities));
        return await subject.AbsenceAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A server that has no method.</summary>
    private static async Task<WebApplication> StartAsync(Action<KestrelServerOptions> configure)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(configure);
        var server = builder.Build();
        await server.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>Answers what comes first with the same bytes, whatever it is, and hangs up.</summary>
    private sealed class RawPeer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _over = new();
        private readonly Task _serving;

        public RawPeer(string answer)
        {
            _listener.Start();
            _serving = ServeAsync(Encoding.ASCII.GetBytes(answer));
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            await _over.CancelAsync();
            await _serving;
            _listener.Dispose();
            _over.Dispose();
        }

        private async Task ServeAsync(byte[] answer)
        {
            try
            {
                while (true)
                {
                    using var caller = await _listener.AcceptTcpClientAsync(_over.Token);
                    await using var stream = caller.GetStream();
                    await stream.WriteAsync(answer, _over.Token);
                    caller.Client.Shutdown(SocketShutdown.Send);

                    // Until the caller hangs up too: a reset would take the answer away.
                    await stream.CopyToAsync(Stream.Null, _over.Token);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
            }
        }
    }
}
