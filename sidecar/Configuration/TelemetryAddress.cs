namespace Genkit.Sidecar.Configuration;

/// <summary>Where traces go: the base address of a telemetry server, or nowhere.</summary>
internal sealed record TelemetryAddress
{
    private TelemetryAddress(Uri? url) => Url = url;

    /// <summary>Ends in a slash; null for nowhere.</summary>
    public Uri? Url { get; }

    public static Parsed<TelemetryAddress> Parse(string text)
    {
        if (text == "off")
        {
            return Parsed<TelemetryAddress>.Good(new(url: null));
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
        {
            return Parsed<TelemetryAddress>.Bad($"{WebAddress.Shown(text)} is not an HTTP address");
        }

        if (url.UserInfo.Length > 0)
        {
            return Parsed<TelemetryAddress>.Bad($"{WebAddress.Shown(text)} was given with a user name, which the telemetry server cannot check");
        }

        return url.Query.Length > 0 || url.Fragment.Length > 0
            ? Parsed<TelemetryAddress>.Bad($"{WebAddress.Shown(text)} was given with a query or a fragment")
            : Parsed<TelemetryAddress>.Good(new(new Uri(url.AbsoluteUri.TrimEnd('/') + "/")));
    }
}
