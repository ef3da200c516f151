using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>Reads the envelope of a frame in one pass and leaves payloads where they are.</summary>
internal static class JsonRpcReader
{
    /// <returns>What keeps the frame from being a message, for the log and without its content; null if nothing does.</returns>
    public static string? Read(in ReadOnlySequence<byte> frame, out ReceivedMessage message)
    {
        message = new ReceivedMessage { Frame = frame };
        if (!Utf8Sequence.IsValid(frame))
        {
            return "it is not valid UTF-8";
        }

        var reader = new Utf8JsonReader(frame, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return reader.TokenType == JsonTokenType.StartArray
                    ? "it is an array; Reflection API v2 has no batches"
                    : "it is not an object";
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                ReadMember(ref reader, ref message);
            }

            // Reading on finds whatever stands after the object.
            reader.Read();
            return null;
        }
        catch (Exception exception) when (JsonPayload.IsDefect(exception))
        {
            return $"it is not valid JSON at byte {reader.BytesConsumed}";
        }
    }

    /// <summary>Reads params that come without an envelope, as in the body of a Reflection API v1 request.</summary>
    /// <returns>What keeps the body from being JSON, worded for users and without its content; null if nothing does. It may be any value.</returns>
    public static string? ReadParams(in ReadOnlySequence<byte> body, out ReceivedMessage message)
    {
        message = new ReceivedMessage { Frame = body };
        if (!Utf8Sequence.IsValid(body))
        {
            return "it is not valid UTF-8";
        }

        var reader = new Utf8JsonReader(body, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        try
        {
            ReadParams(ref reader, ref message);
            reader.Read();
            return null;
        }
        catch (Exception exception) when (JsonPayload.IsDefect(exception))
        {
            return $"it is not valid JSON at byte {reader.BytesConsumed}";
        }
    }

    /// <summary>Gives <c>message</c> of an error object, or null if it has none.</summary>
    public static string? ReadErrorMessage(in ReadOnlySequence<byte> error) => ReadString(error, "message"u8);

    /// <summary>Gives <c>telemetryServerUrl</c> of the answer to <c>register</c>, or null if it has none.</summary>
    public static string? ReadTelemetryServerUrl(in ReadOnlySequence<byte> result) => ReadString(result, "telemetryServerUrl"u8);

    private static string? ReadString(in ReadOnlySequence<byte> value, ReadOnlySpan<byte> member)
    {
        var reader = new Utf8JsonReader(value, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        reader.Read();
        while (reader.TokenType != JsonTokenType.None && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.NameEquals(member);
            reader.Read();
            if (isIt && reader.TokenType == JsonTokenType.String)
            {
                return reader.GetStringOrNull();
            }

            reader.Skip();
        }

        return null;
    }

    private static void ReadMember(ref Utf8JsonReader reader, ref ReceivedMessage message)
    {
        if (reader.NameEquals("id"u8))
        {
            message.Id = ReadValue(ref reader);
        }
        else if (reader.NameEquals("method"u8))
        {
            message.Method = ReadValue(ref reader);
        }
        else if (reader.NameEquals("params"u8))
        {
            ReadParams(ref reader, ref message);
        }
        else if (reader.NameEquals("result"u8))
        {
            message.Result = ReadValue(ref reader);
        }
        else if (reader.NameEquals("error"u8))
        {
            message.Error = ReadValue(ref reader);
        }
        else if (reader.NameEquals("jsonrpc"u8))
        {
            // Not checked, as in the JS runtime: a manager that leaves it out is still understood.
            ReadValue(ref reader);
        }
        else
        {
            message.UnknownMembers++;
            ReadValue(ref reader);
        }
    }

    private static void ReadParams(ref Utf8JsonReader reader, ref ReceivedMessage message)
    {
        // Of two params the last counts, as in JSON.parse, and nothing of the first is left.
        message.ClearParams();
        reader.Read();
        var start = reader.TokenStartIndex;
        var kind = reader.TokenType;
        if (kind != JsonTokenType.StartObject)
        {
            reader.Skip();
            message.Params = new JsonSlice(start, reader.BytesConsumed - start, kind);
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            ReadParam(ref reader, ref message);
        }

        message.Params = new JsonSlice(start, reader.BytesConsumed - start, kind);
    }

    private static void ReadParam(ref Utf8JsonReader reader, ref ReceivedMessage message)
    {
        if (reader.NameEquals("key"u8))
        {
            message.Key = ReadValue(ref reader);
        }
        else if (reader.NameEquals("input"u8))
        {
            message.Input = ReadValue(ref reader);
        }
        else if (reader.NameEquals("stream"u8))
        {
            message.Stream = ReadValue(ref reader);
        }
        else if (reader.NameEquals("streamInput"u8))
        {
            message.StreamInput = ReadValue(ref reader);
        }
        else if (reader.NameEquals("requestId"u8))
        {
            message.RequestId = ReadValue(ref reader);
        }
        else if (reader.NameEquals("chunk"u8))
        {
            message.Chunk = ReadValue(ref reader);
        }
        else if (reader.NameEquals("context"u8))
        {
            message.Context = ReadValue(ref reader);
        }
        else if (reader.NameEquals("init"u8))
        {
            message.Init = ReadValue(ref reader);
        }
        else if (reader.NameEquals("telemetryLabels"u8))
        {
            message.TelemetryLabels = ReadValue(ref reader);
        }
        else if (reader.NameEquals("traceId"u8))
        {
            message.TraceId = ReadValue(ref reader);
        }
        else if (reader.NameEquals("type"u8))
        {
            message.Type = ReadValue(ref reader);
        }
        else if (reader.NameEquals("telemetryServerUrl"u8))
        {
            message.TelemetryServerUrl = ReadValue(ref reader);
        }
        else if (reader.NameEquals("reflectionApiSpecVersion"u8))
        {
            message.ReflectionApiSpecVersion = ReadValue(ref reader);
        }
        else
        {
            // The manager forwards `runtimeId`, which only routes the request to this socket.
            message.UnknownMembers += reader.NameEquals("runtimeId"u8) ? 0 : 1;
            ReadValue(ref reader);
        }
    }

    private static JsonSlice ReadValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        var start = reader.TokenStartIndex;
        var kind = reader.TokenType;
        reader.Skip();
        return new JsonSlice(start, reader.BytesConsumed - start, kind);
    }
}
