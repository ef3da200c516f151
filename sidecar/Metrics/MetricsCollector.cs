using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>Listens to the instruments of one meter from the start, and writes what they say when it is asked to.</summary>
internal sealed class MetricsCollector : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    public MetricsCollector(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                listener.EnableMeasurementEvents(instrument, Add(MetricFamily.Of(instrument)));
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>All series as they are now, in <see cref="PrometheusText"/>.</summary>
    public string Collect()
    {
        // Observed values come in by this thread, and must not meet those of another collection.
        lock (_gate)
        {
            _listener.RecordObservableInstruments();
            var text = new PrometheusText();
            foreach (var family in _families.Values)
            {
                family.WriteTo(text);
            }

            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private MetricFamily Add(MetricFamily family)
    {
        lock (_gate)
        {
            _families.Add(family.Name, family);
            return family;
        }
    }
}
