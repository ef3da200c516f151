using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Genkit.Sidecar.Endpoints.ReflectionV2;

namespace Genkit.Sidecar.Doctor;

/// <summary>Looks for managers other than the one that the settings name: at addresses that were named elsewhere, and on this machine.</summary>
internal sealed class ManagerSearch(ManagerSocketOptions socketOptions)
{
    /// <summary>Where Genkit's CLI takes a free port for its manager.</summary>
    private const int FirstPort = 3200;
    private const int LastPort = 3400;

    /// <summary>A machine with more CLIs than this has them all named by hand.</summary>
    private const int MaxCandidates = 8;

    /// <summary>Returns the addresses that answer with a WebSocket. Asks known listeners only, because a port scan may raise an alarm.</summary>
    /// <param name="except">The address that was tried already, or null.</param>
    /// <param name="named">Addresses to ask, wherever they are.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public async Task<IReadOnlyList<Uri>> FindAsync(Uri? except, IEnumerable<Uri> named, CancellationToken cancellationToken)
    {
        var isHere = except is null || except.IsLoopback;
        var candidates = named.Concat(isHere ? OnThisMachine() : [])
            .Where(candidate => except is null || !IsSame(candidate, except))
            .DistinctBy(candidate => candidate.Authority)
            .Take(MaxCandidates)
            .ToList();
        var answers = await Task.WhenAll(candidates.Select(candidate => IsWebSocketAsync(candidate, cancellationToken)));
        return [.. candidates.Zip(answers).Where(pair => pair.Second).Select(pair => pair.First)];
    }

    private static bool IsSame(Uri one, Uri other) =>
        one.Port == other.Port && (one.Host == other.Host || (one.IsLoopback && other.IsLoopback));

    private static IEnumerable<Uri> OnThisMachine()
    {
        try
        {
            return IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners()
                .Where(listener => listener.Port is >= FirstPort and <= LastPort)
                .Where(listener => IPAddress.IsLoopback(listener.Address) || listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any))
                .Select(listener => listener.Port)
                .Distinct()
                .Order()
                .Select(port => new Uri(string.Create(CultureInfo.InvariantCulture, $"ws://localhost:{port}")));
        }
        catch (Exception exception) when (exception is NetworkInformationException or PlatformNotSupportedException)
        {
            // A system that does not tell: then only what is named can be asked.
            return [];
        }
    }

    private async Task<bool> IsWebSocketAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            await using var socket = await ManagerSocket.ConnectAsync(address, socketOptions with { ConnectTimeout = Limits.Search }, metrics: null, cancellationToken);
            return true;
        }
        catch (ManagerUnreachableException)
        {
            return false;
        }
    }
}
