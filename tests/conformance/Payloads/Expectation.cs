using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Genkit.Sidecar.Conformance.Json;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>
/// The expectation of a payload. A JSON value matches an equivalent value. <c>$exactly</c>, or a generator of <see cref="Payload"/>, matches these bytes. <c>$contains</c> matches an
/// object with at least these members and without the members in <c>$lacks</c>. <c>$json</c> is an equivalent value as text, which allows placeholders outside strings. <c>$matches</c>
/// is a regular expression. <c>$any</c> matches any JSON value, and <c>$absent</c> no payload.
/// </summary>
internal sealed class Expectation
{
    private static readonly JsonSerializerOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Func<byte[]?, CaseValues, string?> _fault;

    private Expectation(Func<byte[]?, CaseValues, string?> fault) => _fault = fault;

    /// <exception cref="FormatException">It is not an expectation.</exception>
    public static Expectation Parse(JsonElement value)
    {
        var generator = Payload.GeneratorOf(value);
        switch (generator?.Name)
        {
            case "$any":
                return Present((_, _) => null);
            case "$absent":
                return new Expectation((actual, _) => actual is null ? null : $"is {Excerpt(actual)}, and should be absent");
            case "$exactly":
                return Exactly(Payload.Parse(generator.Value.Value));
            case "$contains":
                return Meaning(generator.Value.Value.GetRawText(), allowsMore: true, [.. Lacking(value)]);
            case "$json":
                return Meaning(generator.Value.Value.GetString()!, allowsMore: false, []);
            case "$matches":
                var pattern = generator.Value.Value.GetString()!;
                return Present((actual, values) =>
                    Regex.IsMatch(Encoding.UTF8.GetString(actual), values.Fill(pattern), RegexOptions.CultureInvariant) ? null : $"is {Excerpt(actual)}, which {pattern} does not match");
            case null:
                return Meaning(value.GetRawText(), allowsMore: false, []);
            default:
                return Exactly(Payload.Parse(value));
        }
    }

    /// <summary>Returns why the payload does not match, as the predicate of a sentence, or null if it matches.</summary>
    public string? Fault(byte[]? actual, CaseValues values) => _fault(actual, values);

    /// <summary>Checks a text as a JSON string.</summary>
    public string? Fault(string? actual, CaseValues values) => Fault(actual is null ? null : JsonSerializer.SerializeToUtf8Bytes(actual, s_options), values);

    /// <summary>Returns a readable excerpt of a payload.</summary>
    public static string Excerpt(ReadOnlySpan<byte> payload)
    {
        const int Longest = 120;
        var text = Encoding.UTF8.GetString(payload.Length <= Longest ? payload : payload[..Longest]);
        return payload.Length <= Longest ? text : $"{text}… ({payload.Length} bytes)";
    }

    private static Expectation Present(Func<byte[], CaseValues, string?> fault) =>
        new((actual, values) => actual is null ? "is absent" : fault(actual, values));

    private static Expectation Exactly(Payload payload) => Present((actual, values) =>
    {
        var expected = payload.Build(values);
        if (actual.AsSpan().SequenceEqual(expected))
        {
            return null;
        }

        var at = actual.AsSpan().CommonPrefixLength(expected);
        return actual.Length == expected.Length || at < Math.Min(actual.Length, expected.Length)
            ? $"differs from byte {at} on: {Around(actual, at)} instead of {Around(expected, at)}"
            : $"has {actual.Length} bytes instead of {expected.Length}";
    });

    private static IEnumerable<string> Lacking(JsonElement value) =>
        value.TryGetProperty("$lacks", out var names) ? names.EnumerateArray().Select(name => name.GetString()!) : [];

    private static Expectation Meaning(string text, bool allowsMore, IReadOnlyList<string> lacking) =>
        Present((actual, values) =>
        {
            using var expected = JsonText.Parse(Encoding.UTF8.GetBytes(values.Fill(text)));
            try
            {
                using var found = JsonText.Parse(actual);
                return JsonComparison.Difference(expected.RootElement, found.RootElement, allowsMore)
                    ?? lacking.Where(name => found.RootElement.TryGetProperty(name, out _)).Select(name => $"has {name}, which should be absent").FirstOrDefault();
            }
            catch (JsonException e)
            {
                return $"is {Excerpt(actual)}, which is not JSON: {e.Message}";
            }
            catch (InvalidOperationException)
            {
                return $"is {Excerpt(actual)}, which contains a lone surrogate";
            }
        });

    private static string Around(ReadOnlySpan<byte> bytes, int at)
    {
        var from = Math.Max(0, at - 10);
        return $"…{Excerpt(bytes[from..Math.Min(bytes.Length, at + 20)])}…";
    }
}
