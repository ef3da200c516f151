using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Configuration;

/// <summary>Every setting of one process, checked. What each means, and why its default is what it is, stands in <see cref="SettingTable"/>.</summary>
internal sealed record SidecarSettings
{
    /// <summary>Genkit's environment. What follows from it, <see cref="EnabledEndpoints"/> says.</summary>
    public required string? GenkitEnv { get; init; }

    /// <summary>Null: on loopback, on the first port that is free.</summary>
    public required ReflectionV1Address? ReflectionV1 { get; init; }

    public required SettingSource ReflectionV1Source { get; init; }

    public required IReadOnlyList<string> ReflectionV1AllowedHosts { get; init; }

    /// <summary>Null: to be found.</summary>
    public required string? ProjectRoot { get; init; }

    /// <summary>Null when only the env file will tell; <see cref="ManagerLocator"/> knows which of the two counts.</summary>
    public required Uri? Manager { get; init; }

    public required SettingSource ManagerSource { get; init; }

    public required ApplicationAddress App { get; init; }

    public required SettingSource AppSource { get; init; }

    public required IReadOnlyList<AppHeader> AppHeaders { get; init; }

    public required string? AppAuthority { get; init; }

    public required string? AppCaFile { get; init; }

    public required string? AppCertificateFile { get; init; }

    public required string? AppKeyFile { get; init; }

    public required string? Name { get; init; }

    public required string RuntimeId { get; init; }

    public required SettingSource RuntimeIdSource { get; init; }

    public required string? EnvFile { get; init; }

    public required long MaxMessageBytes { get; init; }

    /// <summary>
    /// <see cref="MaxMessageBytes"/> with room for what surrounds a payload of that size: quotes, envelope, keys and labels. It stays
    /// under the 100 MiB at which the manager closes the connection.
    /// </summary>
    public long MaxFrameBytes => MaxMessageBytes + Math.Min(ByteSize.KiB * 64, MaxMessageBytes / 16);

    public required TimeSpan ReconnectInterval { get; init; }

    public required TimeSpan ReconnectMaxInterval { get; init; }

    public required TimeSpan KeepAliveInterval { get; init; }

    public required TimeSpan KeepAliveTimeout { get; init; }

    public required TimeSpan RegisterTimeout { get; init; }

    public required TimeSpan AppStartTimeout { get; init; }

    public required TimeSpan AppConnectTimeout { get; init; }

    public required TimeSpan AppCallTimeout { get; init; }

    public required TimeSpan AppKeepAliveTimeout { get; init; }

    /// <summary>Zero: runs have no deadline.</summary>
    public required TimeSpan RunTimeout { get; init; }

    public required TimeSpan RunGrace { get; init; }

    public required int MaxConcurrentRuns { get; init; }

    public required long MaxInputQueueBytes { get; init; }

    public required FlowServerSettings FlowServer { get; init; }

    /// <summary>Null: what the manager says counts.</summary>
    public required TelemetryAddress? TelemetryServer { get; init; }

    public required IReadOnlyList<string> TelemetryAllowedHosts { get; init; }

    /// <summary>As it was set; <see cref="EnabledEndpoints.RealtimeTraces"/> is what counts.</summary>
    public required bool RealtimeTelemetry { get; init; }

    public required SettingSource RealtimeTelemetrySource { get; init; }

    public required TimeSpan TelemetryWait { get; init; }

    public required TimeSpan TelemetryTimeout { get; init; }

    public required long TelemetryMaxSpanBytes { get; init; }

    public required long TelemetryMaxQueueBytes { get; init; }

    public required OtlpAddress OtlpGrpc { get; init; }

    public required SettingSource OtlpGrpcSource { get; init; }

    public required OtlpAddress OtlpHttp { get; init; }

    public required SettingSource OtlpHttpSource { get; init; }

    /// <summary>Null: the listeners are on the loopback, and take what comes.</summary>
    public required BearerToken? OtlpToken { get; init; }

    /// <summary>Null: the address that is listened at.</summary>
    public required string? OtlpAdvertise { get; init; }

    public required long OtlpMaxRequestBytes { get; init; }

    public required HealthAddress Health { get; init; }

    public required SettingSource HealthSource { get; init; }

    /// <summary>Null: metrics are for this machine alone.</summary>
    public required BearerToken? MetricsToken { get; init; }

    public required TimeSpan StopTimeout { get; init; }

    public required TimeSpan DrainTimeout { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required LogFormat LogFormat { get; init; }

    // Lists print as their type and headers hide their values, but a later member should have to opt in to being printed.
    public override string ToString() => $"{nameof(SidecarSettings)} {{ RuntimeId = {RuntimeId} }}";
}
