namespace Genkit.Sidecar.Configuration;

/// <summary>Every setting of one process, checked. A part of the sidecar takes the group that it needs.</summary>
internal sealed record SidecarSettings
{
    public required ApplicationSettings Application { get; init; }

    public required ManagerSettings Manager { get; init; }

    public required RuntimeSettings Runtime { get; init; }

    public required ReflectionV1Settings ReflectionV1 { get; init; }

    public required FlowServerSettings FlowServer { get; init; }

    public required LimitSettings Limits { get; init; }

    public required TelemetrySettings Telemetry { get; init; }

    public required OtlpSettings Otlp { get; init; }

    public required HealthSettings Health { get; init; }

    public required ProcessSettings Process { get; init; }

    public required LoggingSettings Logging { get; init; }

    // A member that holds a secret should have to opt in to being printed.
    public override string ToString() => $"{nameof(SidecarSettings)} {{ RuntimeId = {Runtime.Id} }}";
}
