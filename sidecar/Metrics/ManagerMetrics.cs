using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>What is counted of the connections to the manager.</summary>
internal sealed class ManagerMetrics
{
    private readonly Meter _meter;
    private long _connections;
    private long _received;
    private long _sent;

    public ManagerMetrics(Meter meter)
    {
        _meter = meter;
        meter.CreateObservableCounter(
            "genkit.sidecar.manager.reconnects",
            () => Math.Max(0, Volatile.Read(ref _connections) - 1),
            "{connection}",
            "Connections to the manager after the first one");
        meter.CreateObservableCounter<long>(
            "genkit.sidecar.manager.messages",
            () => [Directed(Volatile.Read(ref _received), "receive"), Directed(Volatile.Read(ref _sent), "transmit")],
            "{message}",
            "Messages from and to the manager");
    }

    public void Connected() => Interlocked.Increment(ref _connections);

    public void Received() => Interlocked.Increment(ref _received);

    public void Sent(int messages) => Interlocked.Add(ref _sent, messages);

    /// <summary>Shows what waits for the manager to read it.</summary>
    public void WatchQueue(Func<long> messages, Func<long> bytes)
    {
        _meter.CreateObservableUpDownCounter("genkit.sidecar.manager.queue.length", messages, "{message}", "Messages that wait for the manager to take them");
        _meter.CreateObservableUpDownCounter("genkit.sidecar.manager.queue.size", bytes, "By", "Memory of the messages of runs that wait for the manager to take them");
    }

    private static Measurement<long> Directed(long count, string direction) => new(count, new KeyValuePair<string, object?>("network.io.direction", direction));
}
