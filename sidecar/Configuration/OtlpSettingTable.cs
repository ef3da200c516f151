namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="OtlpSettings"/>.</summary>
internal static class OtlpSettingTable
{
    public static readonly SettingGroup<OtlpSettings> Group = new("OTLP");

    private static readonly SettingValue<OtlpAddress> s_address = SettingValue.Single("ADDRESS", $"{BindAddress.Accepts}, or off", OtlpAddress.Parse);

    public static readonly Setting OtlpGrpc = Group.Add(
        "otlp-grpc",
        s_address,
        (settings, value) => settings with { GrpcAddress = value },
        setSource: (settings, source) => settings with { GrpcAddressSource = source },
        byDefault: "127.0.0.1:4317",
        description: "Where the application's own spans and logs are taken by OTLP over gRPC; `off` for nowhere. `run -- command` without it takes a free port and tells the command",
        reason: "OpenTelemetry's own; nothing is taken if --telemetry-server is off");

    public static readonly Setting OtlpHttp = Group.Add(
        "otlp-http",
        s_address,
        (settings, value) => settings with { HttpAddress = value },
        setSource: (settings, source) => settings with { HttpAddressSource = source },
        byDefault: "127.0.0.1:4318",
        description: "Where the application's own spans and logs are taken by OTLP over HTTP; `off` for nowhere. `run -- command` without it takes a free port and tells the command",
        reason: "OpenTelemetry's own; nothing is taken if --telemetry-server is off");

    public static readonly Setting OtlpToken = Group.Add(
        "otlp-token",
        SettingValue.Token,
        (settings, value) => settings with { Token = value },
        defaultNote: "none; OTLP is taken on loopback addresses alone",
        description: "Bearer token that every sender of OTLP must present; the command of `run -- command` receives it",
        reason: "who may write into traces is not for every neighbour");

    public static readonly Setting OtlpAdvertise = Group.Add(
        "otlp-advertise",
        SettingValue.Text(
            "HOST", "a host name or an IP address, without port", text => Uri.CheckHostName(text) != UriHostNameType.Unknown, "is not a host"),
        (settings, value) => settings with { Advertise = value },
        defaultNote: "the address that is listened at",
        description: "Host at which the application reaches the sidecar's OTLP listeners, which it is told with their ports",
        reason: "only an application in another container or on another machine needs another name");

    public static readonly Setting OtlpMaxRequestBytes = Group.Add(
        "otlp-max-request-bytes",
        SettingValue.Size("64KiB", "256MiB"),
        (settings, value) => settings with { MaxRequestBytes = value },
        byDefault: "16MiB",
        description: "Largest OTLP request, as it is sent and after decompression; a larger one is refused",
        reason: "a batch of 512 spans with 32 KiB each, which is how many an SDK sends at a time");
}
