namespace Genkit.Sidecar.Metrics;

/// <summary>What is counted on its way to the telemetry server.</summary>
internal enum TelemetryItem
{
    /// <summary>A run's own span, which the sidecar makes.</summary>
    RootSpan,

    /// <summary>A span that the application exported.</summary>
    Span,

    LogRecord,
    Metric,
}
