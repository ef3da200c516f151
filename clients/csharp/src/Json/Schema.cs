using System.ComponentModel;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>JSON Schemas (draft-07) of .NET types.</summary>
public static class Schema
{
    internal const string Draft07 = "http://json-schema.org/draft-07/schema#";

    private static readonly JsonSchemaExporterOptions s_exporter = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Described };

    /// <summary>The schema of a type as handlers read and write it. Members have the text of their <c>[Description]</c>.</summary>
    /// <param name="options">How values are written; without, as the library does.</param>
    /// <returns>The schema; an empty one where the type takes any value.</returns>
    /// <exception cref="ArgumentException">The type has no JSON form.</exception>
    public static JsonObject Of<T>(JsonSerializerOptions? options = null) => Of(JsonDefaults.Or(options).GetTypeInfo(typeof(T)));

    /// <inheritdoc cref="Of{T}(JsonSerializerOptions)"/>
    /// <param name="type">The type, from a source-generated context.</param>
    public static JsonObject Of(JsonTypeInfo type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return Listed(type) ?? [];
    }

    /// <summary>What is listed of a type; null where it takes any value.</summary>
    internal static JsonObject? Listed(JsonTypeInfo type)
    {
        if (Export(type) is not JsonObject { Count: > 0 } schema)
        {
            return null;
        }

        schema["$schema"] = Draft07;
        return schema;
    }

    /// <summary>The schema of a type: an object, or true for any value.</summary>
    internal static JsonNode Export(JsonTypeInfo type)
    {
        try
        {
            return type.GetJsonSchemaAsNode(s_exporter);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException($"{type.Type} has no JSON Schema: {e.Message}", e);
        }
    }

    private static JsonNode Described(JsonSchemaExporterContext context, JsonNode schema)
    {
        // Of a value tuple, whose members are fields, nothing would be read or written.
        var type = context.TypeInfo.Type;
        if ((schema is JsonObject unsupported && unsupported["not"] is JsonValue)
            || (type.IsValueType && type.IsAssignableTo(typeof(ITuple)) && context.TypeInfo is { Kind: JsonTypeInfoKind.Object, Properties.Count: 0 }))
        {
            throw new NotSupportedException($"{type} has no JSON form");
        }

        var description = Description(context.PropertyInfo?.AttributeProvider)
            ?? Description(context.PropertyInfo?.AssociatedParameter?.AttributeProvider)
            ?? (context.PropertyInfo is null ? Description(type) : null);
        if (description is null)
        {
            return schema;
        }

        // Of a type that takes any value the schema is the word true.
        var described = schema as JsonObject ?? [];
        described["description"] = description;
        return described;
    }

    private static string? Description(ICustomAttributeProvider? provider) =>
        provider?.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false) is [DescriptionAttribute { Description.Length: > 0 } attribute, ..] ? attribute.Description : null;
}
