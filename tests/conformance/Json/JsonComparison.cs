using System.Globalization;
using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Json;

/// <summary>Compares JSON values semantically. Ignores the order of members, white space, escapes and the notation of numbers.</summary>
internal static class JsonComparison
{
    /// <summary>Returns the first difference with its path, or null.</summary>
    /// <param name="expected">The expected value.</param>
    /// <param name="actual">The actual value.</param>
    /// <param name="allowsMore">Whether objects may have more members than expected.</param>
    /// <param name="path">The path of the value.</param>
    /// <exception cref="InvalidOperationException">A value contains a lone surrogate, which is valid JSON but not a valid .NET string.</exception>
    public static string? Difference(JsonElement expected, JsonElement actual, bool allowsMore, string path = "$")
    {
        if (expected.ValueKind != actual.ValueKind)
        {
            return $"at {path}: {Text(actual)} instead of {Text(expected)}";
        }

        return expected.ValueKind switch
        {
            JsonValueKind.Object => ObjectDifference(expected, actual, allowsMore, path),
            JsonValueKind.Array => ArrayDifference(expected, actual, allowsMore, path),
            JsonValueKind.Number when !AreEqualNumbers(expected.GetRawText(), actual.GetRawText()) => $"at {path}: {Text(actual)} instead of {Text(expected)}",
            JsonValueKind.String when expected.GetString() != actual.GetString() => $"at {path}: {Text(actual)} instead of {Text(expected)}",
            _ => null,
        };
    }

    private static string? ObjectDifference(JsonElement expected, JsonElement actual, bool allowsMore, string path)
    {
        foreach (var member in expected.EnumerateObject())
        {
            if (!actual.TryGetProperty(member.Name, out var value))
            {
                return $"at {path}: the member {member.Name} is missing";
            }

            if (Difference(member.Value, value, allowsMore, $"{path}.{member.Name}") is { } difference)
            {
                return difference;
            }
        }

        if (!allowsMore)
        {
            foreach (var member in actual.EnumerateObject())
            {
                if (!expected.TryGetProperty(member.Name, out _))
                {
                    return $"at {path}: there is a member {member.Name}, {Text(member.Value)}, which should be absent";
                }
            }
        }

        return null;
    }

    private static string? ArrayDifference(JsonElement expected, JsonElement actual, bool allowsMore, string path)
    {
        if (expected.GetArrayLength() != actual.GetArrayLength())
        {
            return $"at {path}: {actual.GetArrayLength()} elements instead of {expected.GetArrayLength()}";
        }

        for (var i = 0; i < expected.GetArrayLength(); i++)
        {
            if (Difference(expected[i], actual[i], allowsMore, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]")) is { } difference)
            {
                return difference;
            }
        }

        return null;
    }

    private static bool AreEqualNumbers(string expected, string actual) =>
        expected == actual
        || (decimal.TryParse(expected, NumberStyles.Float, CultureInfo.InvariantCulture, out var left)
            && decimal.TryParse(actual, NumberStyles.Float, CultureInfo.InvariantCulture, out var right)
            && left == right);

    private static string Text(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 100 ? text : $"{text[..100]}… ({text.Length} characters)";
    }
}
