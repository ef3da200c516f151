using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Telemetry;

/// <param name="Wait">How long a run's answer waits for its span to be readable.</param>
/// <param name="Timeout">How long one request may take.</param>
/// <param name="MaxSpanBytes">Largest body of one request.</param>
/// <param name="MaxQueueBytes">Spans of active runs and those that wait to be posted, together.</param>
/// <param name="IsRealtime">Whether a span is posted at its start too.</param>
internal sealed record TelemetryOptions(TimeSpan Wait, TimeSpan Timeout, long MaxSpanBytes, long MaxQueueBytes, bool IsRealtime)
{
    public static TelemetryOptions From(TelemetrySettings settings, EnabledEndpoints enabled) =>
        new(settings.Wait, settings.Timeout, settings.MaxSpanBytes, settings.MaxQueueBytes, enabled.RealtimeTraces);
}
