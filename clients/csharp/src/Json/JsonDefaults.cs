using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>How values are read and written where the application does not say.</summary>
internal static class JsonDefaults
{
    private static readonly JsonWriterOptions s_writer = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Strict, so that what a schema says is what is read: members by their exact camel-case names, numbers that are numbers, no null where the type has none.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>One JSON value, encoded.</summary>
    public static RawJson Encode<T>(T value, JsonTypeInfo<T> type) => value is RawJson raw ? raw : new RawJson(JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>One JSON object, encoded.</summary>
    public static byte[] Encode(JsonObject value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, s_writer))
        {
            value.WriteTo(writer);
        }

        return stream.ToArray();
    }

    /// <summary>The type's metadata.</summary>
    /// <exception cref="NotSupportedException">The options have none for it, as those of a trimmed application without a source-generated context.</exception>
    public static JsonTypeInfo<T> TypeOf<T>(this JsonSerializerOptions options) => (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));

    /// <summary>The options that are given, able to look types up, else <see cref="Options"/>.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only where reflection is enabled, which it is not in trimmed applications.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only where reflection is enabled, which it is not in applications compiled ahead of time.")]
    public static JsonSerializerOptions Or(JsonSerializerOptions? given)
    {
        given?.MakeReadOnly(populateMissingResolver: JsonSerializer.IsReflectionEnabledByDefault);
        return given ?? Options;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only where reflection is enabled, which it is not in trimmed applications.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only where reflection is enabled, which it is not in applications compiled ahead of time.")]
    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowOutOfOrderMetadataProperties = true, // the members of an object have no order
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
