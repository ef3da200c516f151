namespace Genkit.Sidecar.Telemetry;

internal enum PostContent
{
    /// <summary>The root span of a run that goes on. Needless once the end can be posted, which tells all of it.</summary>
    RootStart,

    RootEnd,

    /// <summary>Other spans of a trace.</summary>
    Spans,

    /// <summary>Log records, as OTLP in JSON.</summary>
    Logs,
}
