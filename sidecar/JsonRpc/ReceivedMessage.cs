using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Json;

namespace Genkit.Sidecar.JsonRpc;

/// <summary>
/// One frame, read: where its members lie. Slices point into <see cref="Frame"/> and are valid for as long as its buffer is.
/// Members of <c>params</c> are found in the same pass, for in Reflection API v2 no two methods use one name differently.
/// </summary>
internal struct ReceivedMessage
{
    public ReadOnlySequence<byte> Frame;

    public JsonSlice Id;
    public JsonSlice Method;
    public JsonSlice Params;
    public JsonSlice Result;
    public JsonSlice Error;

    public JsonSlice Key;
    public JsonSlice Input;
    public JsonSlice Init;
    public JsonSlice Context;
    public JsonSlice TelemetryLabels;
    public JsonSlice Stream;
    public JsonSlice StreamInput;
    public JsonSlice Type;
    public JsonSlice TraceId;
    public JsonSlice RequestId;
    public JsonSlice Chunk;
    public JsonSlice TelemetryServerUrl;

    /// <summary>Of v1's notify alone.</summary>
    public JsonSlice ReflectionApiSpecVersion;

    /// <summary>Members that this version does not know. Ignored, as JSON-RPC peers must be able to grow.</summary>
    public int UnknownMembers;

    public void ClearParams() =>
        Key = Input = Init = Context = TelemetryLabels = Stream = StreamInput = Type = TraceId = RequestId = Chunk = TelemetryServerUrl = ReflectionApiSpecVersion = default;

    public readonly ReadOnlySequence<byte> Bytes(JsonSlice slice) => Frame.Slice(slice.Start, slice.Length);

    /// <summary>Gives the value of a string member, or null if it is none, or has no UTF-16 form (a lone surrogate).</summary>
    public readonly string? String(JsonSlice slice)
    {
        if (!slice.IsString)
        {
            return null;
        }

        var reader = new Utf8JsonReader(Bytes(slice));
        reader.Read();
        return reader.GetStringOrNull();
    }

    /// <summary>Gives the id, which must be a string or a number.</summary>
    public readonly RequestId ReadId() => new(Bytes(Id).ToArray());
}

/// <summary>Where a value lies in its frame: first byte, length in bytes, and what it is. Kind None: the member is absent.</summary>
internal readonly record struct JsonSlice(long Start, long Length, JsonTokenType Kind)
{
    public bool IsPresent => Kind != JsonTokenType.None;

    public bool IsString => Kind == JsonTokenType.String;
}
