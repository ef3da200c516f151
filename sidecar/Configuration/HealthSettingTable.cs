namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="HealthSettings"/>.</summary>
internal static class HealthSettingTable
{
    public static readonly SettingGroup<HealthSettings> Group = new("Health and metrics");

    public static readonly Setting Health = Group.Add(
        "health",
        SettingValue.Single("ADDRESS", $"{BindAddress.Accepts}, unix:/path, or off", HealthAddress.Parse),
        (settings, value) => settings with { Address = value },
        setSource: (settings, source) => settings with { AddressSource = source },
        byDefault: "127.0.0.1:9466",
        description: "Where /healthz, /readyz, /startupz and /metrics are served, and where `health` asks; `off` for nowhere",
        reason: "health is for this machine; a second sidecar that finds the default taken runs without the endpoint");

    public static readonly Setting MetricsToken = Group.Add(
        "metrics-token",
        SettingValue.Token,
        (settings, value) => settings with { MetricsToken = value },
        defaultNote: "none; /metrics answers this machine alone",
        description: "Bearer token that opens /metrics to other machines; probes and this machine need none",
        reason: "who calls what, and how often, is not for every neighbour");
}
