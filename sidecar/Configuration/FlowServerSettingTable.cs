namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="FlowServerSettings"/>.</summary>
internal static class FlowServerSettingTable
{
    public static readonly SettingGroup<FlowServerSettings> Group = new("Flow server");

    public static readonly Setting FlowServer = Group.Add(
        "flow-server",
        SettingValue.Single(
            "ADDRESS", "host:port with the IP address of an interface, localhost or * as host, unix:/path, or off", HealthAddress.Parse),
        (settings, value) => settings with { Address = value },
        setSource: (settings, source) => settings with { AddressSource = source },
        byDefault: "off",
        description: "Where flows are served over HTTP, as Genkit's own flow servers do; beyond loopback it needs --flow-token",
        reason: "the flow server is meant for production, so it is opened explicitly");

    public static readonly Setting FlowPathPrefix = Group.Add(
        "flow-path-prefix",
        SettingValue.Text("PATH", "a path such as /api/flows, with a slash before it and none after", IsPathPrefix, "is not such a path"),
        (settings, value) => settings with { PathPrefix = value },
        defaultNote: "none; the flow `greet` is at `/greet`",
        description: "Path that is before the name of every flow",
        reason: "Genkit's own flow servers have none");

    public static readonly Setting FlowActions = Group.Add(
        "flow-actions",
        SettingValue.Repeated("GLOB", "globs that begin with a slash, such as /flow/public-*", Globs),
        (settings, value) => settings with { Actions = value },
        byDefault: "/flow/*",
        description: "Keys of the actions that are served, where * is anything; other actions than flows are at their key, such as `/model/echo`. May be repeated, in the variable one per line, in the file an array",
        reason: "flows are made to be called; models and tools are their parts");

    public static readonly Setting FlowToken = Group.Add(
        "flow-token",
        SettingValue.Token,
        (settings, value) => settings with { Token = value },
        defaultNote: "none; this machine alone may call",
        description: "Bearer token that every caller of a flow must show",
        reason: "a run costs money, so access from other machines needs a credential");

    public static readonly Setting FlowContext = Group.Add(
        "flow-context",
        SettingValue.Repeated("MEMBER=HEADER", "MEMBER=HEADER, with dots between members that are in each other", ContextHeader.ParseAll),
        (settings, value) => settings with { Context = value },
        description: "Member of a run's context that a request header gives, such as auth.uid=X-User-Id; callers must not be able to forge it. May be repeated, in the variable one per line, in the file an array",
        reason: "only the operator knows which headers a proxy has checked");

    public static readonly Setting FlowCorsOrigin = Group.Add(
        "flow-cors-origin",
        SettingValue.Repeated("ORIGIN", "scheme://host or scheme://host:port in lower case, without a path, or *", Origins),
        (settings, value) => settings with { CorsOrigins = value },
        description: "Web origin whose pages may call flows, or * for all; others are refused. May be repeated, in the variable one per line, in the file an array",
        reason: "flows are called by servers; a page's visitors would share the token");

    public static readonly Setting FlowMaxBodyBytes = Group.Add(
        "flow-max-body-bytes",
        SettingValue.Size("1KiB", "90MiB"),
        (settings, value) => settings with { MaxBodyBytes = value },
        byDefault: "1MiB",
        description: "Largest body of a request; a larger one is answered with 413",
        reason: "room for a long conversation; images need more");

    public static readonly Setting FlowTimeout = Group.Add(
        "flow-timeout",
        SettingValue.Duration("0", "24h"),
        (settings, value) => settings with { Timeout = value },
        byDefault: "2m",
        description: "How long a request may take, from its headers to its result; then the run is cancelled and fails with DEADLINE_EXCEEDED. 0 for no limit",
        reason: "models that think take a minute; those who wait longer have gone");

    public static readonly Setting FlowRateLimit = Group.Add(
        "flow-rate-limit",
        SettingValue.Count(0, 1_000_000),
        (settings, value) => settings with { RateLimit = value },
        byDefault: "50",
        description: "Requests a second that one client address, or IPv6 /64 network, may make; one more is answered with 429 and Retry-After. 0 for no limit",
        reason: "more than people do, less than a loop that went wrong; behind a proxy --flow-client-header tells clients apart");

    public static readonly Setting FlowClientHeader = Group.Add(
        "flow-client-header",
        SettingValue.Text("NAME", "the name of a header", ContextHeader.IsName, "is no header's name"),
        (settings, value) => settings with { ClientHeader = value },
        defaultNote: "none; the address that connects",
        description: "Header such as X-Forwarded-For, in which a proxy names the client that --flow-rate-limit counts; the last address in it, which is the proxy's own word",
        reason: "without a proxy any client could name another");

    public static readonly Setting FlowRateBurst = Group.Add(
        "flow-rate-burst",
        SettingValue.Count(1, 1_000_000),
        (settings, value) => settings with { RateBurst = value },
        byDefault: "100",
        description: "Requests that such a client may make at once, after a pause",
        reason: "two seconds' worth");

    public static readonly Setting FlowMaxConcurrent = Group.Add(
        "flow-max-concurrent",
        SettingValue.Count(1, 65536),
        (settings, value) => settings with { MaxConcurrent = value },
        byDefault: "128",
        description: "Requests that are under way at a time; one more is answered with 503 and Retry-After",
        reason: "half of --max-concurrent-runs, so that flow requests leave room for the other endpoints");

    public static readonly Setting FlowCompression = Group.Add(
        "flow-compression",
        SettingValue.Flag,
        (settings, value) => settings with { Compression = value },
        byDefault: "true",
        description: "Whether results from 1 KiB on are compressed with Brotli or gzip for clients that take it; streams never are",
        reason: "JSON shrinks to a fifth, for less time than the network takes");

    // Dots as segments are resolved in what is asked for, so that nothing is asked for below them.
    private static bool IsPathPrefix(string text) =>
        text.Length > 1 && text[0] == '/' && text[^1] != '/' && text.All(c => c is > ' ' and <= '~' and not ('?' or '#' or '%'))
        && !text.Split('/').Any(segment => segment is "." or "..");

    private static Parsed<IReadOnlyList<string>> Globs(IReadOnlyList<string> texts)
    {
        if (texts.FirstOrDefault(text => !text.StartsWith('/') || text.Any(char.IsControl)) is { } wrong)
        {
            return Parsed<IReadOnlyList<string>>.Bad($"{QuotedText.Text(wrong)} does not begin like a key");
        }

        // The matcher would take ? for any character, and has no way to mean it.
        return texts.FirstOrDefault(text => text.AsSpan().ContainsAny('?', '\\')) is { } odd
            ? Parsed<IReadOnlyList<string>>.Bad($"{QuotedText.Text(odd)} has a ? or a backslash, for which only * can stand")
            : Parsed<IReadOnlyList<string>>.Good(texts);
    }

    // As a browser writes it, since that is what it is compared with.
    private static Parsed<IReadOnlyList<string>> Origins(IReadOnlyList<string> texts) =>
        texts.FirstOrDefault(text => text != "*" && !(Uri.TryCreate(text, UriKind.Absolute, out var uri) && $"{uri.Scheme}://{uri.Authority}" == text)) is { } wrong
            ? Parsed<IReadOnlyList<string>>.Bad($"{WebAddress.Shown(wrong)} is not an origin")
            : Parsed<IReadOnlyList<string>>.Good(texts);
}
