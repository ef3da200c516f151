using System.Text.Json;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.Actions;

/// <summary>A failure as Genkit's tools read it, from every endpoint: <c>{code, message, details}</c>.</summary>
internal static class FailureJson
{
    /// <summary>Writes one object. Its <c>details</c> are always there, for the tools look into them unasked.</summary>
    /// <param name="json">Where to write.</param>
    /// <param name="failure">What went wrong, in Genkit's terms.</param>
    /// <param name="traceId">Trace of the run that failed, or null if no run was started.</param>
    public static void Write(Utf8JsonWriter json, ActionFailure failure, string? traceId)
    {
        json.WriteStartObject();
        json.WriteNumber("code"u8, (int)failure.Code);
        json.WriteString("message"u8, failure.Message);
        json.WriteStartObject("details"u8);
        CopyDetails(json, failure, traceId is not null);
        if (failure.Stack is { Length: > 0 } stack)
        {
            json.WriteString("stack"u8, stack);
        }

        if (traceId is not null)
        {
            json.WriteString("traceId"u8, traceId);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Copies the application's own details but for the members that the sidecar fills itself.</summary>
    private static void CopyDetails(Utf8JsonWriter json, ActionFailure failure, bool hasTraceId)
    {
        if (failure.Details.IsEmpty)
        {
            return;
        }

        var hasStack = failure.Stack is { Length: > 0 };
        var details = failure.Details.Span;
        var reader = new Utf8JsonReader(details, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var replaced = (hasTraceId && reader.NameEquals("traceId"u8)) || (hasStack && reader.NameEquals("stack"u8));
            var name = details[(int)reader.TokenStartIndex..(int)reader.BytesConsumed];
            name = name[..(name.LastIndexOf((byte)'"') + 1)];
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!replaced)
            {
                WriteRawName(json, name);
                json.WriteRawValue(details[start..(int)reader.BytesConsumed], skipInputValidation: true);
            }
        }
    }

    /// <summary>Writes a member's name as it came. It can only differ from a re-escaped one in its spelling, but a lone surrogate has no other.</summary>
    private static void WriteRawName(Utf8JsonWriter json, ReadOnlySpan<byte> quotedText)
    {
        var reader = new Utf8JsonReader(quotedText);
        reader.Read();
        if (!reader.ValueIsEscaped)
        {
            json.WritePropertyName(quotedText[1..^1]);
            return;
        }

        json.WritePropertyName(reader.GetStringOrNull() ?? "\uFFFD");
    }
}
