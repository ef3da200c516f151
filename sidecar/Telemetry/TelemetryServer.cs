using System.Net;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// Which telemetry server traces go to. The setting counts most, then what the manager says when the runtime registers, then what it says
/// later. Traces hold inputs and outputs, so a manager may only name a server on its own host.
/// </summary>
internal sealed partial class TelemetryServer(TelemetrySettings settings, ILogger<TelemetryServer> logger)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _refused = [];
    private Uri? _manager;
    private Uri? _registered;
    private Uri? _configured;
    private volatile Uri? _address = settings.Server?.Url;

    /// <summary>Ends in a slash; null while none is known, or none is wanted.</summary>
    public Uri? Address => _address;

    /// <summary>Names the manager that is now connected.</summary>
    public void Connected(Uri manager)
    {
        lock (_gate)
        {
            if (_manager is not null && !IsHost(manager, _manager.IdnHost))
            {
                // On another host than the manager's now, and so no longer allowed.
                _configured = null;
            }

            _manager = manager;
        }
    }

    /// <summary>The manager has taken the registration and said this, or nothing, of its telemetry server.</summary>
    public void Registered(string? url)
    {
        lock (_gate)
        {
            _registered = Find(_manager, url);
            Choose();
        }
    }

    /// <summary>The manager has sent <c>configure</c>.</summary>
    public void Configured(string? url)
    {
        lock (_gate)
        {
            _configured = Find(_manager, url);
            Choose();
        }
    }

    /// <summary>A manager of Reflection API v1, at this address, has said it: it counts as what <c>configure</c> says.</summary>
    public void Notified(IPAddress manager, string url)
    {
        lock (_gate)
        {
            _configured = Find(new UriBuilder(Uri.UriSchemeHttp, manager.ToString()).Uri, url);
            Choose();
        }
    }

    /// <summary>Gives the address that a manager's word leads to, or why it is not used.</summary>
    /// <param name="manager">Address of the manager.</param>
    /// <param name="url">What it said.</param>
    /// <param name="allowedHosts">Hosts that a telemetry server may have besides the manager's own.</param>
    public static Parsed<Uri?> Resolve(Uri manager, string url, IReadOnlyList<string> allowedHosts)
    {
        if (TelemetryAddress.Parse(url) is not { Value.Url: { } said })
        {
            return Parsed<Uri?>.Bad("it is not an address such as http://localhost:4033");
        }

        if (said.IsLoopback)
        {
            // The manager's own loopback, which is ours only if the manager is on it too.
            return Parsed<Uri?>.Good(manager.IsLoopback ? said : new UriBuilder(said) { Host = manager.Host }.Uri);
        }

        return IsHost(said, manager.IdnHost) || allowedHosts.Any(host => IsHost(said, host))
            ? Parsed<Uri?>.Good(said)
            : Parsed<Uri?>.Bad($"it is neither on the manager's host nor on one that {TelemetrySettingTable.TelemetryAllowHost.Flag} names");
    }

    private static bool IsHost(Uri address, string host) => string.Equals(address.IdnHost, host, StringComparison.OrdinalIgnoreCase);

    private Uri? Find(Uri? manager, string? url)
    {
        // With a setting nothing that the manager says counts, so nothing of it is worth a warning.
        if (url is null || manager is null || settings.Server is not null)
        {
            return null;
        }

        var resolved = Resolve(manager, url, settings.AllowedHosts);
        if (resolved.Problem is { } problem && _refused.Count < 16 && _refused.Add(url))
        {
            Log.Refused(logger, WebAddress.Shown(url.Length > 256 ? url[..256] : url), problem);
        }

        return resolved.Value;
    }

    private void Choose()
    {
        if (settings.Server is null && (_registered ?? _configured) is var address && address != _address)
        {
            _address = address;
            if (address is not null)
            {
                Log.Found(logger, address);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Traces of runs go to the telemetry server at {Address}, which the manager named", EventName = "TelemetryServerFound")]
        public static partial void Found(ILogger logger, Uri address);

        [LoggerMessage(LogLevel.Warning, "The manager names {Url} as telemetry server, and no trace goes there: {Problem}. --telemetry-server sets one", EventName = "TelemetryServerIgnored")]
        public static partial void Refused(ILogger logger, string url, string problem);
    }
}
