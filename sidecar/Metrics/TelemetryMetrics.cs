using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>What is counted of the root spans of runs. A span counts once, when it has ended.</summary>
internal sealed class TelemetryMetrics
{
    private readonly Meter _meter;
    private long _accepted;
    private long _refused;
    private long _unanswered;
    private long _dropped;

    public TelemetryMetrics(Meter meter)
    {
        _meter = meter;
        meter.CreateObservableCounter<long>(
            "genkit.sidecar.telemetry.spans",
            () => [With(ref _accepted, "accepted"), With(ref _refused, "refused"), With(ref _unanswered, "unanswered"), With(ref _dropped, "dropped")],
            "{span}",
            "Root spans of runs by what became of them; all but the accepted ones are lost");
    }

    /// <summary>Spans that no trace will show.</summary>
    public long Lost => Volatile.Read(ref _refused) + Volatile.Read(ref _unanswered) + Volatile.Read(ref _dropped);

    public void Accepted() => Interlocked.Increment(ref _accepted);

    /// <summary>The telemetry server said no to one.</summary>
    public void Refused() => Interlocked.Increment(ref _refused);

    /// <summary>One was posted several times and never answered.</summary>
    public void Unanswered() => Interlocked.Increment(ref _unanswered);

    /// <summary>There was no room for one, or no time when the sidecar stopped.</summary>
    public void Dropped() => Interlocked.Increment(ref _dropped);

    /// <summary>Shows what waits for the telemetry server.</summary>
    public void WatchQueue(Func<long> spans, Func<long> bytes)
    {
        _meter.CreateObservableUpDownCounter("genkit.sidecar.telemetry.queue.length", spans, "{span}", "Requests that wait for the telemetry server to take them");
        _meter.CreateObservableUpDownCounter("genkit.sidecar.telemetry.queue.size", bytes, "By", "Memory of spans, those of active runs included");
    }

    private static Measurement<long> With(ref long count, string outcome) =>
        new(Volatile.Read(ref count), new KeyValuePair<string, object?>("genkit.telemetry.outcome", outcome));
}
