using System.Net;
using System.Net.Sockets;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>A caller of the health listener.</summary>
internal sealed class HealthPage : IDisposable
{
    private readonly HttpClient _http;

    public HealthPage(EndPoint endPoint)
    {
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, cancellationToken) => ConnectAsync(endPoint, cancellationToken) })
        {
            BaseAddress = new Uri("http://localhost"),
            Timeout = Timeouts.Default,
        };
    }

    public async Task<(int Status, string Text)> GetAsync(string path, string? host = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
        using var response = await SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _http.SendAsync(request);

    /// <summary>Repeats the request until the status is this one, for states that the sidecar learns only by asking its peers.</summary>
    public async Task<string> UntilAsync(string path, int status)
    {
        using var limit = new CancellationTokenSource(Timeouts.Default);
        while (true)
        {
            var answer = await GetAsync(path);
            if (answer.Status == status)
            {
                return answer.Text;
            }

            Assert.False(limit.IsCancellationRequested, $"{path} stays {answer.Status}: {answer.Text}");
        }
    }

    public async Task<PrometheusSamples> MetricsAsync()
    {
        var (status, text) = await GetAsync("/metrics");
        Assert.Equal(200, status);
        return PrometheusSamples.Parse(text);
    }

    /// <summary>Repeats the request until a series has this value, for counts that change only after the peer has been answered.</summary>
    public async Task UntilMetricAsync(string series, double value)
    {
        using var limit = new CancellationTokenSource(Timeouts.Default);
        while ((await MetricsAsync())[series] is var found && found != value)
        {
            Assert.False(limit.IsCancellationRequested, $"{series} stays {found}");
        }
    }

    public void Dispose() => _http.Dispose();

    private static async ValueTask<Stream> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
