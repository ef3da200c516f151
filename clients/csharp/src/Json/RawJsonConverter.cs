using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>Preserves the bytes of a <see cref="RawJson"/> inside another value. Public only for source-generated contexts.</summary>
public sealed class RawJsonConverter : JsonConverter<RawJson>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <summary>Metadata of the type, available without reflection.</summary>
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
            throw new JsonException("RawJson.Absent must be a whole result and cannot be part of one");
        }

        writer.WriteRawValue(value.Utf8.Span);
    }
}
