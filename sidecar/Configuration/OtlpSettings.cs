namespace Genkit.Sidecar.Configuration;

/// <summary>Where the application's own telemetry is taken. What each means stands in <see cref="OtlpSettingTable"/>.</summary>
internal sealed record OtlpSettings
{
    public OtlpAddress GrpcAddress { get; init; } = OtlpAddress.Off;

    public SettingSource GrpcAddressSource { get; init; } = SettingSource.Default;

    public OtlpAddress HttpAddress { get; init; } = OtlpAddress.Off;

    public SettingSource HttpAddressSource { get; init; } = SettingSource.Default;

    /// <summary>Null: the listeners are on the loopback, and take what comes.</summary>
    public BearerToken? Token { get; init; }

    /// <summary>Null: the address that is listened at.</summary>
    public string? Advertise { get; init; }

    public long MaxRequestBytes { get; init; }

    /// <summary>With <paramref name="address"/> in place of each default that has not been turned off.</summary>
    public OtlpSettings WithDefaultsAt(OtlpAddress address) => this with
    {
        GrpcAddress = GrpcAddressSource == SettingSource.Default && GrpcAddress.EndPoint is not null ? address : GrpcAddress,
        HttpAddress = HttpAddressSource == SettingSource.Default && HttpAddress.EndPoint is not null ? address : HttpAddress,
    };
}
