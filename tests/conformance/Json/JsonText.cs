using System.Text.Json;
using System.Text.Unicode;

namespace Genkit.Sidecar.Conformance.Json;

/// <summary>Whether bytes are what the contract calls JSON: exactly one complete value in UTF-8.</summary>
internal static class JsonText
{
    // Deeper than any case goes: how deep is too deep is not the contract's business.
    private const int MaxDepth = 100_000;

    /// <summary>The type of the value, or why the bytes are none.</summary>
    public static string? Fault(ReadOnlySpan<byte> bytes, out JsonTokenType type)
    {
        type = JsonTokenType.None;
        if (bytes.IsEmpty)
        {
            return "is empty, which is no JSON value";
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

    /// <summary>The bytes as a document, which the caller disposes of.</summary>
    /// <exception cref="JsonException">They are no JSON value.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> bytes) => JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth });
}
