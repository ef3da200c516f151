namespace Genkit.Sidecar.Metrics;

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
