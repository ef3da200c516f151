namespace Genkit.Sidecar.Configuration;

/// <summary>How the sidecar and its command end. What each means stands in <see cref="ProcessSettingTable"/>.</summary>
internal sealed record ProcessSettings
{
    /// <summary>Null: there is none.</summary>
    public string? ConfigFile { get; init; }

    public TimeSpan StopTimeout { get; init; }

    public TimeSpan DrainTimeout { get; init; }
}
