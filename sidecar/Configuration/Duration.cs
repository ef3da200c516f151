using System.Globalization;

namespace Genkit.Sidecar.Configuration;

/// <summary>Durations as people write them: <c>500ms</c>, <c>5s</c>, <c>2m</c>, <c>1h</c>, <c>0</c>.</summary>
internal static class Duration
{
    // Longest suffix first: "ms" also ends in "s".
    private static readonly (string Suffix, long Milliseconds)[] s_units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

    public static Func<string, Parsed<TimeSpan>> Between(string least, string most)
    {
        var (from, to) = (Parse(least).Value, Parse(most).Value);
        return text => Parse(text) is { Problem: null } parsed && (parsed.Value < from || parsed.Value > to)
            ? Parsed<TimeSpan>.Bad($"{QuotedText.Text(text)} is out of range")
            : Parse(text);
    }

    public static string Accepts(string least, string most) =>
        $"{(least == "0" ? "0 or a duration" : $"a duration from {least}")} up to {most}, such as 500ms, 5s or 2m";

    public static Parsed<TimeSpan> Parse(string text)
    {
        if (text == "0")
        {
            return Parsed<TimeSpan>.Good(TimeSpan.Zero);
        }

        foreach (var (suffix, milliseconds) in s_units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && long.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                && count <= TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond / milliseconds)
            {
                return Parsed<TimeSpan>.Good(TimeSpan.FromMilliseconds(count * milliseconds));
            }
        }

        return Parsed<TimeSpan>.Bad(text.Length > 0 && text.All(char.IsAsciiDigit)
            ? $"{QuotedText.Text(text)} has no unit"
            : $"{QuotedText.Text(text)} is not a duration");
    }
}
