using System.Text.Json;
using System.Text.Unicode;

namespace Genkit.Sidecar.Conformance.Json;

/// <summary>Checks that bytes are exactly one complete JSON value in UTF-8, as the contract requires.</summary>
internal static class JsonText
{
    // Deeper than any case, because the contract does not limit the depth.
    private const int MaxDepth = 100_000;

    /// <summary>Returns the type of the value, or why the bytes are not a JSON value.</summary>
    public static string? Fault(ReadOnlySpan<byte> bytes, out JsonTokenType type)
    {
        type = JsonTokenType.None;
        if (bytes.IsEmpty)
        {
            return "is empty, which is not a JSON value";
        }

        if (!Utf8.IsValid(bytes))
        {
            return "is not UTF-8";
        }

        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            type = reader.TokenType;
            while (reader.Read())
            {
            }

            return null;
        }
        catch (JsonException e)
        {
            return $"is not one JSON value: {e.Message}";
        }
    }

    /// <summary>Parses the bytes. The caller disposes the document.</summary>
    /// <exception cref="JsonException">They are not a JSON value.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> bytes) => JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth });
}
