using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>The meter that all instruments of one sidecar hang on. Each host has its own, so that two in one process do not mix.</summary>
internal static class SidecarMeter
{
    public static Meter Create() => new("Genkit.Sidecar", SidecarVersion.Number);
}
