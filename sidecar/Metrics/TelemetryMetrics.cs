using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>What is counted of spans, logs and metrics. Each counts once, when nothing more will become of it.</summary>
internal sealed class TelemetryMetrics
{
    private const string OutcomeTag = "genkit.telemetry.outcome";

    private static readonly TelemetryOutcome[] s_posted = [TelemetryOutcome.Accepted, TelemetryOutcome.Refused, TelemetryOutcome.Unanswered, TelemetryOutcome.Dropped];
    private static readonly TelemetryOutcome[] s_received =
        [.. s_posted, TelemetryOutcome.UnknownTrace, TelemetryOutcome.Rejected, TelemetryOutcome.Overloaded, TelemetryOutcome.Ignored];

    private readonly Meter _meter;
    private readonly long[,] _counts = new long[Enum.GetValues<TelemetryItem>().Length, Enum.GetValues<TelemetryOutcome>().Length];

    public TelemetryMetrics(Meter meter)
    {
        _meter = meter;
        meter.CreateObservableCounter<long>(
            "genkit.sidecar.telemetry.spans",
            () => Measure(TelemetryItem.RootSpan, s_posted),
            "{span}",
            "Root spans of runs by what became of them; all but the accepted ones are lost");
        meter.CreateObservableCounter<long>(
            "genkit.sidecar.otlp.spans",
            () => Measure(TelemetryItem.Span, s_received),
            "{span}",
            "Spans that the application exported, by what became of them");
        meter.CreateObservableCounter<long>(
            "genkit.sidecar.otlp.log.records",
            () => Measure(TelemetryItem.LogRecord, s_received),
            "{record}",
            "Log records that the application exported, by what became of them");
        meter.CreateObservableCounter<long>(
            "genkit.sidecar.otlp.metrics",
            () => Measure(TelemetryItem.Metric, [TelemetryOutcome.Ignored]),
            "{metric}",
            "Metrics that the application exported, which are dropped");
    }

    /// <summary>What was kept to be posted, and nothing will show.</summary>
    public long Lost
    {
        get
        {
            long lost = 0;
            foreach (var item in Enum.GetValues<TelemetryItem>())
            {
                lost += Of(item, TelemetryOutcome.Refused) + Of(item, TelemetryOutcome.Unanswered) + Of(item, TelemetryOutcome.Dropped);
            }

            return lost;
        }
    }

    public void Count(TelemetryItem item, TelemetryOutcome outcome, long count = 1) =>
        Interlocked.Add(ref _counts[(int)item, (int)outcome], count);

    /// <summary>Shows what waits for the telemetry server.</summary>
    public void WatchQueue(Func<long> posts, Func<long> bytes)
    {
        _meter.CreateObservableUpDownCounter("genkit.sidecar.telemetry.queue.length", posts, "{span}", "Requests that wait for the telemetry server to take them");
        _meter.CreateObservableUpDownCounter("genkit.sidecar.telemetry.queue.size", bytes, "By", "Memory of spans, those of active runs included");
    }

    private static string Name(TelemetryOutcome outcome) =>
        outcome == TelemetryOutcome.UnknownTrace ? "unknown_trace" : outcome.ToString().ToLowerInvariant();

    private long Of(TelemetryItem item, TelemetryOutcome outcome) => Volatile.Read(ref _counts[(int)item, (int)outcome]);

    private Measurement<long>[] Measure(TelemetryItem item, TelemetryOutcome[] outcomes) =>
        [.. outcomes.Select(outcome => new Measurement<long>(Of(item, outcome), new KeyValuePair<string, object?>(OutcomeTag, Name(outcome))))];
}

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
