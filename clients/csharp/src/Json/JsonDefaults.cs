using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>The library's serializer options.</summary>
internal static class JsonDefaults
{
    private static readonly JsonWriterOptions s_writer = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Strict options, so that reading matches the listed schema: exact camel-case names, no numbers in strings, no null for non-nullable types.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Encodes one JSON value.</summary>
    public static RawJson Encode<T>(T value, JsonTypeInfo<T> type) => value is RawJson raw ? raw : new RawJson(JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Encodes one JSON object.</summary>
    public static byte[] Encode(JsonObject value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, s_writer))
        {
            value.WriteTo(writer);
        }

        return stream.ToArray();
    }

    /// <summary>Returns the metadata of a type.</summary>
    /// <exception cref="NotSupportedException">The options have no metadata for the type, as in a trimmed application without a source-generated context.</exception>
    public static JsonTypeInfo<T> TypeOf<T>(this JsonSerializerOptions options) => (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));

    /// <summary>Returns the given options with a type resolver, or <see cref="Options"/> if none are given.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Reached only if reflection is enabled, which trimming disables.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Reached only if reflection is enabled, which ahead-of-time compilation disables.")]
    public static JsonSerializerOptions Or(JsonSerializerOptions? given)
    {
        given?.MakeReadOnly(populateMissingResolver: JsonSerializer.IsReflectionEnabledByDefault);
        return given ?? Options;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Reached only if reflection is enabled, which trimming disables.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Reached only if reflection is enabled, which ahead-of-time compilation disables.")]
    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowOutOfOrderMetadataProperties = true, // members of a JSON object are unordered
            MaxDepth = 256,
        };
        if (JsonSerializer.IsReflectionEnabledByDefault)
        {
            options.TypeInfoResolver = new DefaultJsonTypeInfoResolver();
            options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        }
        else
        {
            options.TypeInfoResolver = JsonTypeInfoResolver.Combine();
        }

        options.MakeReadOnly();
        return options;
    }
}
