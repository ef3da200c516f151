using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>Reads what a caller sent as the type that a handler takes.</summary>
/// <param name="type">The type.</param>
/// <param name="isNullable">Whether null may be read.</param>
/// <param name="isOptional">Whether there may be no value.</param>
/// <param name="absent">What is read where there is none.</param>
internal sealed class InputReader<T>(JsonTypeInfo<T> type, bool isNullable = false, bool isOptional = false, T? absent = default)
{
    private readonly Lazy<JsonNode> _schema = new(() => Schema.Export(type));

    /// <exception cref="InputError">The value is not what the type takes. The message names the member, or says what the value must be.</exception>
    public T Read(RawJson json, string what)
    {
        if (json.IsAbsent)
        {
            return isOptional || typeof(T) == typeof(RawJson) ? absent! : throw new InputError($"{what} is missing: it must be {Mismatch.Describe(_schema.Value)}");
        }

        if (typeof(T) == typeof(RawJson))
        {
            return (T)(object)json;
        }

        T? value;
        try
        {
            value = JsonSerializer.Deserialize(json.Utf8.Span, type);
        }
        catch (JsonException e)
        {
            throw Mismatch.Explain(json, _schema.Value, what, e);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException && Mismatch.Find(json, _schema.Value, what) is { } problem)
        {
            // As a type with subtypes refuses a value that does not say which it is, and any object a member whose name is half a surrogate pair.
            throw problem;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            // The type's own constructor, setter or converter refuses the value.
            throw new InputError($"{what} cannot be read: {e.Message}");
        }

        return value is not null || isNullable ? value! : throw new InputError($"{what} must be {Mismatch.Describe(_schema.Value)}");
    }
}
