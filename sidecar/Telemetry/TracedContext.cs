using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// The context of a run as a trace may show it: the members <c>auth</c> and <c>secrets</c> hold credentials. Only those at the top, as
/// in Genkit's own runtime; what an application keeps elsewhere it means to see in a trace.
/// </summary>
internal static class TracedContext
{
    /// <summary>Copies a valid JSON object with these values replaced; null for any other value, of which there is nothing to show.</summary>
    public static ReadOnlySequence<byte>? Redact(in ReadOnlySequence<byte> context)
    {
        var reader = new Utf8JsonReader(context, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var redacted = new ArrayBufferWriter<byte>((int)Math.Min(context.Length, 1024 * 1024));
        redacted.Write("{"u8);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (redacted.WrittenCount > 1)
            {
                redacted.Write(","u8);
            }

            var isSecret = reader.NameEquals("auth"u8) || reader.NameEquals("secrets"u8);
            redacted.Write("\""u8);
            Copy(redacted, reader.HasValueSequence ? reader.ValueSequence : new ReadOnlySequence<byte>(reader.ValueSpan.ToArray()));
            redacted.Write("\":"u8);
            reader.Read();
            var start = reader.TokenStartIndex;
            reader.Skip();
            if (isSecret)
            {
                redacted.Write("\"<redacted>\""u8);
            }
            else
            {
                Copy(redacted, context.Slice(start, reader.BytesConsumed - start));
            }
        }

        redacted.Write("}"u8);
        return new ReadOnlySequence<byte>(redacted.WrittenMemory);
    }

    private static void Copy(ArrayBufferWriter<byte> output, in ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes)
        {
            output.Write(segment.Span);
        }
    }
}
