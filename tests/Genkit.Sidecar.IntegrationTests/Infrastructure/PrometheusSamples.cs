using System.Globalization;
using System.Text.RegularExpressions;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>
/// The samples of a Prometheus text, format 0.0.4, parsed as strictly as its specification allows. Also asserts what
/// <c>promtool check metrics</c> requires of names.
/// </summary>
internal sealed partial class PrometheusSamples
{
    private readonly Dictionary<string, double> _samples = [];

    private PrometheusSamples(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var types = new Dictionary<string, string>();
        var helped = "";
        var family = "";
        foreach (var line in text[..^1].Split('\n'))
        {
            if (HelpLine().Match(line) is { Success: true } help)
            {
                helped = help.Groups["name"].Value;
            }
            else if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups["name"].Value;
                Assert.Equal(helped, family);
                Assert.True(types.TryAdd(family, type.Groups["type"].Value), $"{family} comes twice");
                Assert.Equal(types[family] == "counter", family.EndsWith("_total", StringComparison.Ordinal));
            }
            else
            {
                var sample = SampleLine().Match(line);
                Assert.True(sample.Success, $"not a line of the format: {line}");
                var name = sample.Groups["name"].Value;
                Assert.Equal(family, types[family] == "histogram" ? HistogramSuffix().Replace(name, "") : name);
                var value = Number(sample.Groups["value"].Value);
                Assert.True(types[family] == "gauge" || value >= 0, line);
                Assert.True(_samples.TryAdd(name + sample.Groups["labels"].Value, value), $"{line} comes twice");
            }
        }

        foreach (var (name, _) in types.Where(type => type.Value == "histogram"))
        {
            AssertHistogram(name);
        }
    }

    /// <summary>The value of a series, such as <c>up{a="b"}</c>; null if there is none.</summary>
    public double? this[string series] => _samples.TryGetValue(series, out var value) ? value : null;

    public static PrometheusSamples Parse(string text) => new(text);

    public IEnumerable<string> Series => _samples.Keys;

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private void AssertHistogram(string name)
    {
        var buckets = _samples
            .Where(sample => sample.Key.StartsWith($"{name}_bucket{{", StringComparison.Ordinal))
            .Select(sample => (Match: BucketLabels().Match(sample.Key[(name.Length + "_bucket".Length)..]), sample.Value))
            .GroupBy(bucket => bucket.Match.Groups["others"].Value, bucket => (Bound: Number(bucket.Match.Groups["le"].Value), Count: bucket.Value));
        foreach (var series in buckets)
        {
            var labels = series.Key.Length > 0 ? $"{{{series.Key.TrimEnd(',')}}}" : "";
            var inOrder = series.OrderBy(bucket => bucket.Bound).ToArray();
            Assert.Equal(inOrder, series);
            Assert.Equal(inOrder.Select(bucket => bucket.Count).Order(), inOrder.Select(bucket => bucket.Count));
            Assert.Equal((double.PositiveInfinity, this[$"{name}_count{labels}"]), (inOrder[^1].Bound, inOrder[^1].Count));
            Assert.NotNull(this[$"{name}_sum{labels}"]);
        }
    }

    [GeneratedRegex("^# HELP (?<name>[a-z_:][a-z0-9_:]*) (?:[^\\\\]|\\\\\\\\|\\\\n)+$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE (?<name>[a-z_:][a-z0-9_:]*) (?<type>counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("^(?<name>[a-z_:][a-z0-9_:]*)(?<labels>\\{[a-z_][a-z0-9_]*=\"(?:[^\"\\\\]|\\\\[\\\\\"n])*\"(?:,[a-z_][a-z0-9_]*=\"(?:[^\"\\\\]|\\\\[\\\\\"n])*\")*\\})? (?<value>\\+Inf|-?[0-9.]+(?:E[-+][0-9]+)?)$")]
    private static partial Regex SampleLine();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSuffix();

    [GeneratedRegex("^\\{(?<others>.*)le=\"(?<le>[^\"]*)\"\\}$")]
    private static partial Regex BucketLabels();
}
