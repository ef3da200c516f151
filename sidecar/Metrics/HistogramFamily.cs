namespace Genkit.Sidecar.Metrics;

/// <summary>A histogram's series since the start: how many values came up to each bound, how many in all, and their sum.</summary>
internal sealed class HistogramFamily(string name, string help, IReadOnlyList<double> bounds) : MetricFamily(name, help)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

    public override void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = PrometheusText.Labels(tags);
        lock (_gate)
        {
            if (!_series.TryGetValue(labels, out var series))
            {
                _series[labels] = series = new Series(bounds.Count);
            }

            series.Add(value, bounds);
        }
    }

    public override void WriteTo(PrometheusText text)
    {
        lock (_gate)
        {
            if (_series.Count == 0)
            {
                return;
            }

            text.Begin(Name, "histogram", Help);
            foreach (var (labels, series) in _series)
            {
                Write(text, labels, series);
            }
        }
    }

    private void Write(PrometheusText text, string labels, Series series)
    {
        var before = labels.Length > 0 ? labels + "," : "";
        long upTo = 0;
        for (var i = 0; i < bounds.Count; i++)
        {
            upTo += series.Counts[i];
            text.Sample($"{Name}_bucket", $"{before}le=\"{PrometheusText.Number(bounds[i])}\"", upTo);
        }

        text.Sample($"{Name}_bucket", $"{before}le=\"+Inf\"", series.Count);
        text.Sample($"{Name}_sum", labels, series.Sum);
        text.Sample($"{Name}_count", labels, series.Count);
    }

    private sealed class Series(int bounds)
    {
        /// <summary>By the lowest bound that the value does not pass.</summary>
        public long[] Counts { get; } = new long[bounds];

        public long Count { get; private set; }

        public double Sum { get; private set; }

        public void Add(double value, IReadOnlyList<double> bounds)
        {
            Count++;
            Sum += value;
            for (var i = 0; i < bounds.Count; i++)
            {
                if (value <= bounds[i])
                {
                    Counts[i]++;
                    return;
                }
            }
        }
    }
}
