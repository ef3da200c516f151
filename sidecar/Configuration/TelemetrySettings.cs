namespace Genkit.Sidecar.Configuration;

/// <summary>Where traces of runs go. What each means stands in <see cref="TelemetrySettingTable"/>.</summary>
internal sealed record TelemetrySettings
{
    /// <summary>Null: what the manager says counts.</summary>
    public TelemetryAddress? Server { get; init; }

    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>As it was set; <see cref="EnabledEndpoints.RealtimeTraces"/> is what counts.</summary>
    public bool Realtime { get; init; }

    public SettingSource RealtimeSource { get; init; } = SettingSource.Default;

    public TimeSpan Wait { get; init; }

    public TimeSpan Timeout { get; init; }

    public long MaxSpanBytes { get; init; }

    public long MaxQueueBytes { get; init; }
}
