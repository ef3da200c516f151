using System.Text.Json;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

internal static class JsonAssert
{
    /// <summary>Asserts that two JSON values are equal; the order of members and white space do not count.</summary>
    public static void Equal(string expected, JsonElement actual)
    {
        using var document = JsonDocument.Parse(expected);
        Assert.True(
            JsonElement.DeepEquals(document.RootElement, actual), $"expected: {expected}\nactual:   {actual.GetRawText()}");
    }

    public static void IsTraceId(JsonElement actual) => IsTraceId(actual.GetString());

    public static void IsTraceId(string? actual) => Assert.Matches("^[0-9a-f]{32}$", actual);
}
