using System.Net;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;

namespace Genkit.Sidecar.Endpoints.Health;

/// <summary>
/// Asks the listener of a running sidecar, as <c>genkit-sidecar health</c> does. By hand and in HTTP/1.0, where an answer ends with its
/// connection: a process that is started every few seconds for one line should not load an HTTP client first, a fifth of its CPU time.
/// </summary>
internal static class HealthClient
{
    private const int LongestAnswer = 64 * 1024;

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
        try
        {
            var answer = await FetchAsync(endPoint, PathOf(probe), limit.Token);
            return answer.Length == 0
                ? new(false, $"{address} closed the connection without an answer: it has too many callers, or is no sidecar's ({HealthSettingTable.Health.Flag})")
                : Read(answer) ?? new(false, $"{address} does not answer like a sidecar: is it the address of one ({HealthSettingTable.Health.Flag})?");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new(false, $"no answer from {address} within {s_limit.TotalSeconds:0} s");
        }
        catch (SocketException exception)
        {
            return new(false, exception.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable
                ? $"nothing listens at {address} ({HealthSettingTable.Health.Flag}): is the sidecar running?"
                : $"{address} cannot be asked ({HealthSettingTable.Health.Flag}): {exception.Message}");
        }
    }

    private static string PathOf(Probe probe) => probe switch
    {
        Probe.Live => "/healthz",
        Probe.Startup => "/startupz",
        _ => "/readyz",
    };

    private static async Task<string> FetchAsync(EndPoint endPoint, string path, CancellationToken cancellationToken)
    {
        var protocol = endPoint is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp;
        using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, protocol);
        await socket.ConnectAsync(endPoint, cancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path}?verbose HTTP/1.0\r\nHost: localhost\r\n\r\n"), cancellationToken);

        var answer = new byte[LongestAnswer];
        var length = 0;
        while (length < answer.Length && await socket.ReceiveAsync(answer.AsMemory(length), cancellationToken) is > 0 and var read)
        {
            length += read;
        }

        return Encoding.UTF8.GetString(answer, 0, length);
    }

    /// <summary>Null if the answer is not a sidecar's: many a server says 200 to any path.</summary>
    private static HealthAnswer? Read(string answer)
    {
        var isGood = answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal);
        var body = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end ? answer[(end + 4)..] : "";
        return body.StartsWith(isGood ? ProbeText.Good : ProbeText.Bad, StringComparison.Ordinal)
            ? new HealthAnswer(isGood, Printable(body.TrimEnd('\n')))
            : null;
    }

    // Reasons quote peers, who must not reach into the terminal.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) && c != '\n' ? '?' : c));
}

/// <summary>What a running sidecar said to a probe.</summary>
/// <param name="IsGood">Whether it answered 200.</param>
/// <param name="Text">Its lines, or why there are none.</param>
internal sealed record HealthAnswer(bool IsGood, string Text);
