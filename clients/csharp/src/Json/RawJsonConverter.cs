using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Genkit.Sidecar.Client;

/// <summary>Keeps the bytes of a <see cref="RawJson"/> that is a part of another value.</summary>
internal sealed class RawJsonConverter : JsonConverter<RawJson>
{
    public override bool HandleNull => true;

    public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(JsonMarshal.GetRawUtf8Value(JsonElement.ParseValue(ref reader)).ToArray());

    public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options)
    {
        if (value.IsAbsent)
        {
            throw new JsonException("RawJson.Absent is a whole result, and never a part of one");
        }

        writer.WriteRawValue(value.Utf8.Span);
    }
}
