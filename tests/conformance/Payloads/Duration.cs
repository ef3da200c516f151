using System.Globalization;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>Parses the durations of case files and flags: <c>500ms</c>, <c>5s</c>, <c>2m</c>.</summary>
internal static class Duration
{
    // The largest number that a TimeSpan can hold in any unit.
    private const double Most = 1e9;

    /// <exception cref="FormatException">It is not a duration.</exception>
    public static TimeSpan Parse(string text)
    {
        var digits = text.AsSpan().TrimEnd("ms");
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > Most)
        {
            throw new FormatException($"'{text}' is not a duration such as 500ms, 5s or 2m");
        }

        return text[digits.Length..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            _ => throw new FormatException($"'{text}' is not a duration such as 500ms, 5s or 2m"),
        };
    }
}
