namespace Genkit.Sidecar.Configuration;

/// <summary>Where probes and metrics are served. What each means stands in <see cref="HealthSettingTable"/>.</summary>
internal sealed record HealthSettings
{
    public HealthAddress Address { get; init; } = HealthAddress.Off;

    public SettingSource AddressSource { get; init; } = SettingSource.Default;

    /// <summary>Null: metrics are for this machine alone.</summary>
    public BearerToken? MetricsToken { get; init; }
}
