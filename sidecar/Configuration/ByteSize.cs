using System.Globalization;

namespace Genkit.Sidecar.Configuration;

/// <summary>Sizes: plain bytes, or a whole number of <c>KiB</c> or <c>MiB</c>.</summary>
internal static class ByteSize
{
    public const long KiB = 1024;
    public const long MiB = 1024 * KiB;

    public static Func<string, Parsed<long>> Between(long least, long most) => text =>
    {
        var parsed = Parse(text);
        return parsed.Problem is null && (parsed.Value < least || parsed.Value > most)
            ? Parsed<long>.Bad($"{QuotedText.Text(text)} is out of range")
            : parsed;
    };

    public static Parsed<long> Parse(string text)
    {
        var unit = text.EndsWith("KiB", StringComparison.OrdinalIgnoreCase) ? KiB
            : text.EndsWith("MiB", StringComparison.OrdinalIgnoreCase) ? MiB
            : 1;
        var digits = text.AsSpan(0, unit == 1 ? text.Length : text.Length - "KiB".Length);

        return long.TryParse(digits.TrimEnd(' '), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= long.MaxValue / unit
            ? Parsed<long>.Good(count * unit)
            : Parsed<long>.Bad($"{QuotedText.Text(text)} is not a size");
    }
}
