using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Health;

/// <summary>Asks the listener of a running sidecar, as <c>genkit-sidecar health</c> does.</summary>
internal static class HealthClient
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);

    /// <summary>Probes the sidecar that was started with this <c>--health</c>. Takes 2 s at most.</summary>
    public static async Task<HealthAnswer> AskAsync(HealthAddress address, SettingSource source, Probe probe, CancellationToken stop)
    {
        if (address.AskedAt is not { } endPoint)
        {
            return new(false, address.EndPoint is null
                ? $"{source}: is off, so that there is nothing to ask"
                : $"{source}: {address} is a port of the system's choice, which only the sidecar's log tells");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(s_limit);
        using var http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = (_, cancellationToken) => ConnectAsync(endPoint, cancellationToken),
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost/{PathOf(probe)}?verbose");
        try
        {
            using var response = await http.SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);

            // Many a server says 200 to any path.
            return text.StartsWith(HealthEndpoints.Good, StringComparison.Ordinal) || text.StartsWith(HealthEndpoints.Bad, StringComparison.Ordinal)
                ? new(response.StatusCode == HttpStatusCode.OK, text.TrimEnd('\n'))
                : new(false, $"{address} answered with HTTP {(int)response.StatusCode}: is that the address of a sidecar ({SettingTable.Health.Flag})?");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new(false, $"no answer from {address} within {s_limit.TotalSeconds:0} s");
        }
        catch (HttpRequestException exception)
        {
            return new(false, exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.AddressNotAvailable }
                ? $"nothing listens at {address} ({SettingTable.Health.Flag}): is the sidecar running?"
                : $"{address} cannot be asked ({SettingTable.Health.Flag}): {exception.InnerException?.Message ?? exception.Message}");
        }
    }

    private static string PathOf(Probe probe) => probe switch
    {
        Probe.Live => "healthz",
        Probe.Startup => "startupz",
        _ => "readyz",
    };

    private static async ValueTask<Stream> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
