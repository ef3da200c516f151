using System.Diagnostics.Metrics;

namespace Genkit.Sidecar.Metrics;

/// <summary>The series of one instrument, by their labels, and how they are written.</summary>
internal abstract class MetricFamily(string name, string help)
{
    public string Name => name;

    protected string Help => help;

    public static MetricFamily Of(Instrument instrument)
    {
        var isCounter = instrument is ObservableCounter<long> or ObservableCounter<double>;
        var name = PrometheusText.Name(instrument.Name, instrument.Unit, isCounter);
        var help = instrument.Description ?? "";
        return instrument is Histogram<double> histogram
            ? new HistogramFamily(name, help, histogram.Advice?.HistogramBucketBoundaries ?? [])
            : new ObservedFamily(name, help, isCounter ? "counter" : "gauge");
    }

    /// <summary>Takes a measurement. May be called by many threads at a time.</summary>
    public abstract void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    /// <summary>Writes what there is; nothing while there is no series.</summary>
    public abstract void WriteTo(PrometheusText text);
}

/// <summary>An instrument that is asked for its values when they are collected, and so keeps none from one time to the next.</summary>
internal sealed class ObservedFamily(string name, string help, string type) : MetricFamily(name, help)
{
    private readonly List<(string Labels, double Value)> _samples = [];

    public override void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => _samples.Add((PrometheusText.Labels(tags), value));

    public override void WriteTo(PrometheusText text)
    {
        if (_samples.Count > 0)
        {
            text.Begin(Name, type, Help);
            _samples.ForEach(sample => text.Sample(Name, sample.Labels, sample.Value));
            _samples.Clear();
        }
    }
}
