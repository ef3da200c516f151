using System.ComponentModel;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>Derives JSON Schemas (draft-07) from .NET types.</summary>
public static class Schema
{
    internal const string Draft07 = "http://json-schema.org/draft-07/schema#";

    private static readonly JsonSchemaExporterOptions s_exporter = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Described };

    /// <summary>Returns the schema of a type as handlers read and write it. Members have the text of their <c>[Description]</c>.</summary>
    /// <param name="options">Serializer options. Defaults to the library's options.</param>
    /// <returns>The schema, which is empty if the type accepts any value.</returns>
    /// <exception cref="ArgumentException">The type has no JSON representation.</exception>
    public static JsonObject Of<T>(JsonSerializerOptions? options = null) => Of(JsonDefaults.Or(options).GetTypeInfo(typeof(T)));

    /// <inheritdoc cref="Of{T}(JsonSerializerOptions)"/>
    /// <param name="type">Metadata of the type, from a source-generated context.</param>
    public static JsonObject Of(JsonTypeInfo type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return Listed(type) ?? [];
    }

    /// <summary>Returns the schema to list for a type, or null if it accepts any value.</summary>
    internal static JsonObject? Listed(JsonTypeInfo type)
    {
        if (Export(type) is not JsonObject { Count: > 0 } schema)
        {
            return null;
        }

        schema["$schema"] = Draft07;
        return schema;
    }

    /// <summary>Returns the schema of a type: an object, or true for any value.</summary>
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
        // The members of a value tuple are fields, which System.Text.Json ignores.
        var type = context.TypeInfo.Type;
        if ((schema is JsonObject unsupported && unsupported["not"] is JsonValue)
            || (type.IsValueType && type.IsAssignableTo(typeof(ITuple)) && context.TypeInfo is { Kind: JsonTypeInfoKind.Object, Properties.Count: 0 }))
        {
            throw new NotSupportedException($"{type} has no JSON representation");
        }

        var description = Description(context.PropertyInfo?.AttributeProvider)
            ?? Description(context.PropertyInfo?.AssociatedParameter?.AttributeProvider)
            ?? (context.PropertyInfo is null ? Description(type) : null);
        if (description is null)
        {
            return schema;
        }

        // The schema of a type that accepts any value is the literal true.
        var described = schema as JsonObject ?? [];
        described["description"] = description;
        return described;
    }

    private static string? Description(ICustomAttributeProvider? provider) =>
        provider?.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false) is [DescriptionAttribute { Description.Length: > 0 } attribute, ..] ? attribute.Description : null;
}
