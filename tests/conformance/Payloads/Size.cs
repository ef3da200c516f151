using System.Globalization;
using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>Parses the sizes of cases: a number of bytes, or text such as <c>"4 MiB"</c> or <c>"4 MiB + 1"</c>.</summary>
internal static class Size
{
    /// <exception cref="FormatException">It is not a size.</exception>
    public static int Parse(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            return value.GetInt32();
        }

        var text = value.GetString() ?? "";
        var sum = 0;
        foreach (var part in text.Split('+', StringSplitOptions.TrimEntries))
        {
            var words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var unit = words switch
            {
                [_] => 1,
                [_, "KiB"] => 1024,
                [_, "MiB"] => 1024 * 1024,
                _ => 0,
            };
            if (unit == 0 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                throw new FormatException($"'{text}' is not a size such as 17, \"64 KiB\" or \"4 MiB + 1\"");
            }

            sum = checked(sum + (number * unit));
        }

        return sum;
    }
}
