using System.Text;
using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>Distorts a payload as faulty applications do.</summary>
internal static class Distortion
{
    private const int Large = 1024 * 1024;

    private static readonly string[] s_empty = ["\"\"", "{}", "[]", "0", "false"];

    public static byte[]? Of(byte[]? payload, Rule? broken)
    {
        switch (broken)
        {
            case Rule.NullForAbsent:
                return payload ?? "null"u8.ToArray();
            case Rule.EmptyForAbsent:
                return payload ?? "{}"u8.ToArray();
            case Rule.AbsentForNull:
                return payload.AsSpan().SequenceEqual("null"u8) ? null : payload;
            default:
                return payload is null ? null : OfPresent(payload, broken);
        }
    }

    private static byte[]? OfPresent(byte[] payload, Rule? broken) => broken switch
    {
        Rule.AbsentForEmpty => payload.Length < 10 && s_empty.Contains(Encoding.UTF8.GetString(payload)) ? null : payload,
        Rule.NumbersAreDoubles or Rule.WritesAnew or Rule.DropsDuplicateMembers or Rule.SortsMembers => payload.Length > Large ? payload : Rewritten(payload, broken.Value),
        Rule.ReplacesLoneSurrogates => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload).Replace("\\ud800", "\\ufffd", StringComparison.OrdinalIgnoreCase)),
        Rule.CutsAtNul => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload).Replace("\\u0000", "", StringComparison.Ordinal)),
        Rule.LosesProto => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload).Replace("\"__proto__\": {\"polluted\": true}, ", "", StringComparison.Ordinal)),
        Rule.ComposesText => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload).Replace("e\u0301", "é", StringComparison.Ordinal)),
        Rule.CutsLarge => payload.Length > Large ? [.. payload[..(Large - 1)], (byte)'"'] : payload,
        Rule.StockDepthLimit => payload.AsSpan().StartsWith(Encoding.ASCII.GetBytes(new string('[', 65))) ? throw new ActionFailure(3, "the input is too deep") : payload,
        Rule.AppendsNewline => [.. payload, (byte)'\n'],
        _ => payload,
    };

    private static byte[] Rewritten(byte[] payload, Rule broken)
    {
        using var document = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = 100_000 });
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { MaxDepth = 100_000 }))
        {
            if (broken == Rule.WritesAnew)
            {
                document.RootElement.WriteTo(json);
            }
            else
            {
                Write(json, document.RootElement, broken);
            }
        }

        return stream.ToArray();
    }

    private static void Write(Utf8JsonWriter json, JsonElement value, Rule broken)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var members = value.EnumerateObject().ToList();
                IEnumerable<JsonProperty> written = broken switch
                {
                    Rule.DropsDuplicateMembers => members.GroupBy(member => member.Name).Select(same => same.Last()),
                    Rule.SortsMembers => members.OrderBy(member => member.Name, StringComparer.Ordinal),
                    _ => members,
                };
                json.WriteStartObject();
                foreach (var member in written)
                {
                    json.WritePropertyName(member.Name);
                    Write(json, member.Value, broken);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(json, item, broken);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.Number when broken == Rule.NumbersAreDoubles && double.IsFinite(value.GetDouble()):
                // Adding zero removes the sign of minus zero, like JavaScript's JSON.
                json.WriteNumberValue(value.GetDouble() + 0.0);
                break;
            case JsonValueKind.Number when broken == Rule.NumbersAreDoubles:
                json.WriteNullValue();
                break;
            default:
                json.WriteRawValue(value.GetRawText(), skipInputValidation: true);
                break;
        }
    }
}
