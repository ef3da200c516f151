using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>Keeps the bytes of a <see cref="RawJson"/> that is a part of another value. Public for the code of source-generated contexts alone.</summary>
public sealed class RawJsonConverter : JsonConverter<RawJson>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <summary>What is known of the type without looking it up.</summary>
    internal static JsonTypeInfo<RawJson> TypeInfo { get; } = JsonMetadataServices.CreateValueInfo<RawJson>(JsonDefaults.Options, new RawJsonConverter());

    /// <inheritdoc/>
    public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(JsonMarshal.GetRawUtf8Value(JsonElement.ParseValue(ref reader)).ToArray());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (value.IsAbsent)
        {
            throw new JsonException("RawJson.Absent is a whole result, and never a part of one");
        }

        writer.WriteRawValue(value.Utf8.Span);
    }
}
