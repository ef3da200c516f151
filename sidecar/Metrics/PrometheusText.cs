using System.Globalization;
using System.Text;

namespace Genkit.Sidecar.Metrics;

/// <summary>Writes the text that Prometheus scrapes, format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/.</summary>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>The name of an OpenTelemetry instrument after OpenTelemetry's rules for Prometheus: unit and kind become suffixes.</summary>
    public static string Name(string name, string? unit, bool isCounter)
    {
        var suffix = unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        return name.Replace('.', '_') + suffix + (isCounter ? "_total" : "");
    }

    /// <summary>Labels as they stand between the braces.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{value}");
            labels.Append(labels.Length > 0 ? "," : "").Append(name.Replace('.', '_')).Append("=\"").Append(Escaped(text).Replace("\"", "\\\"")).Append('"');
        }

        return labels.ToString();
    }

    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    /// <summary>Begins the samples of one metric.</summary>
    /// <param name="name">Its name, without what histograms append.</param>
    /// <param name="type"><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</param>
    /// <param name="help">What it is.</param>
    public void Begin(string name, string type, string help) =>
        _text.Append("# HELP ").Append(name).Append(' ').Append(Escaped(help)).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    /// <param name="name">Name of the sample.</param>
    /// <param name="labels">As <see cref="Labels"/> writes them; may be empty.</param>
    /// <param name="value">The value.</param>
    public void Sample(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0)
        {
            _text.Append('{').Append(labels).Append('}');
        }

        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    public override string ToString() => _text.ToString();

    private static string Escaped(string text) => text.Replace("\\", "\\\\").Replace("\n", "\\n");
}
