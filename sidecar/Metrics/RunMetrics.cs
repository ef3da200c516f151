using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>
/// What is counted of runs. Everything that happens for a chunk is an addition; sums are made up into measurements only when
/// they are collected.
/// </summary>
internal sealed class RunMetrics
{
    private readonly Histogram<double> _duration;
    private long _active;
    private long _inputBytes;
    private long _inputChunks;
    private long _outputBytes;
    private long _outputChunks;

    public RunMetrics(Meter meter)
    {
        // From OpenTelemetry's advice for calls of generative models: 10 ms to 82 s.
        var boundaries = Enumerable.Range(0, 14).Select(power => 0.01 * (1 << power)).ToArray();
        _duration = meter.CreateHistogram(
            "genkit.sidecar.run.duration",
            "s",
            "Time from the start of a run to its result or failure, by how it ended",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });
        meter.CreateObservableUpDownCounter("genkit.sidecar.run.active", () => Active, "{run}", "Runs that have neither result nor failure yet");
        meter.CreateObservableCounter("genkit.sidecar.run.input", () => Volatile.Read(ref _inputBytes), "By", "Payload bytes of runs on their way to the application");
        meter.CreateObservableCounter("genkit.sidecar.run.input.chunks", () => Volatile.Read(ref _inputChunks), "{chunk}", "Chunks of streamed input on their way to the application");
        meter.CreateObservableCounter("genkit.sidecar.run.output", () => Volatile.Read(ref _outputBytes), "By", "Payload bytes of runs on their way from the application");
        meter.CreateObservableCounter("genkit.sidecar.run.output.chunks", () => Volatile.Read(ref _outputChunks), "{chunk}", "Chunks of runs on their way from the application");
    }

    /// <summary>Runs that have neither result nor failure yet.</summary>
    public long Active => Volatile.Read(ref _active);

    /// <param name="inputBytes">Payload of the request.</param>
    public void Started(long inputBytes)
    {
        Interlocked.Increment(ref _active);
        Interlocked.Add(ref _inputBytes, inputBytes);
    }

    /// <param name="key">The action's key, of which only the type is kept.</param>
    /// <param name="status">Name of the gRPC status that the run ended with.</param>
    /// <param name="duration">Time since its start.</param>
    public void Ended(string key, string status, TimeSpan duration)
    {
        Interlocked.Decrement(ref _active);
        _duration.Record(
            duration.TotalSeconds,
            new KeyValuePair<string, object?>("genkit.action.type", ActionType.Of(key)),
            new KeyValuePair<string, object?>("rpc.grpc.status_code", status));
    }

    public void InputChunk(long bytes)
    {
        Interlocked.Increment(ref _inputChunks);
        Interlocked.Add(ref _inputBytes, bytes);
    }

    public void OutputChunk(long bytes)
    {
        Interlocked.Increment(ref _outputChunks);
        Interlocked.Add(ref _outputBytes, bytes);
    }

    public void Result(long bytes) => Interlocked.Add(ref _outputBytes, bytes);
}
