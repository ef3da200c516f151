namespace Genkit.Sidecar.Configuration;

/// <summary>Where Reflection API v1 is served. What each means stands in <see cref="ReflectionV1SettingTable"/>.</summary>
internal sealed record ReflectionV1Settings
{
    /// <summary>Null: on loopback, on the first port that is free.</summary>
    public ReflectionV1Address? Address { get; init; }

    public SettingSource AddressSource { get; init; } = SettingSource.Default;

    public IReadOnlyList<string> AllowedHosts { get; init; } = [];
}
