using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Genkit.Sidecar.Json;

/// <summary>
/// Says whether bytes from a peer are one complete JSON value (RFC 8259), so that splicing them
/// into a message can neither break it nor add a member to it.
/// </summary>
internal static class JsonPayload
{
    /// <summary>
    /// The reader keeps one bit a level and does not recurse, so depth costs memory, not stack. Node's
    /// JSON.parse takes this depth too; .NET's default of 64 would refuse what every peer accepts.
    /// </summary>
    public const int MaxDepth = 100_000;

    public static JsonReaderOptions ReaderOptions { get; } = new() { MaxDepth = MaxDepth };

    /// <summary>For what is written around payloads, escaping no more than JSON.stringify does. What is copied in has been read before.</summary>
    public static JsonWriterOptions WriterOptions { get; } = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
        SkipValidation = true,
    };

    /// <summary>Reads <paramref name="payload"/> to its end.</summary>
    /// <param name="root">What the value is; None where there is a defect.</param>
    /// <returns>What is wrong with the payload, worded for users and without its content; null if nothing is.</returns>
    public static string? FindDefect(in ReadOnlySequence<byte> payload, out JsonTokenType root)
    {
        root = JsonTokenType.None;
        if (payload.IsEmpty)
        {
            return "it is empty";
        }

        // Utf8JsonReader lets invalid UTF-8 inside strings pass; one bad byte closes the WebSocket with 1007.
        if (!Utf8Sequence.IsValid(payload))
        {
            return "it is not valid UTF-8";
        }

        var reader = new Utf8JsonReader(payload, isFinalBlock: true, new JsonReaderState(ReaderOptions));
        try
        {
            reader.Read();
            var first = reader.TokenType;
            while (reader.Read())
            {
            }

            root = first;
            return null;
        }
        catch (Exception exception) when (IsDefect(exception))
        {
            // The exception's own text can quote the payload.
            return $"it is not valid JSON at byte {reader.BytesConsumed}";
        }
    }

    /// <inheritdoc cref="FindDefect(in ReadOnlySequence{byte}, out JsonTokenType)"/>
    public static string? FindDefect(ReadOnlyMemory<byte> payload, out JsonTokenType root) =>
        FindDefect(new ReadOnlySequence<byte>(payload), out root);

    /// <summary>
    /// Whether <see cref="Utf8JsonReader"/> has found bad JSON. It fails on an index where a literal breaks off before an empty
    /// last segment: <see href="https://github.com/dotnet/runtime/pull/134448"/>.
    /// </summary>
    public static bool IsDefect(Exception exception) => exception is JsonException or IndexOutOfRangeException;
}
