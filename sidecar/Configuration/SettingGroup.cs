namespace Genkit.Sidecar.Configuration;

/// <summary>The headings of <c>--help</c>, in its order.</summary>
internal enum SettingGroup
{
    Endpoints,
    Manager,
    Application,
    Runs,
    FlowServer,
    Telemetry,
    Process,
}
