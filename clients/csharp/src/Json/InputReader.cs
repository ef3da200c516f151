using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Genkit.Sidecar.Client;

/// <summary>Reads JSON as the type that a handler takes.</summary>
/// <param name="type">Metadata of the type.</param>
/// <param name="isNullable">Whether null is accepted.</param>
/// <param name="isOptional">Whether the value may be absent.</param>
/// <param name="absent">Value to return if it is absent.</param>
internal sealed class InputReader<T>(JsonTypeInfo<T> type, bool isNullable = false, bool isOptional = false, T? absent = default)
{
    private readonly Lazy<JsonNode> _schema = new(() => Schema.Export(type));

    /// <exception cref="InputError">The value does not match the type. The message names the member, or describes what the value must be.</exception>
    public T Read(RawJson json, string what)
    {
        if (json.IsAbsent)
        {
            return isOptional || typeof(T) == typeof(RawJson) ? absent! : throw new InputError($"{what} is missing; it must be {Mismatch.Describe(_schema.Value)}");
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
            // For example, a polymorphic type refuses a value without type discriminator, and every object refuses a member name with a lone surrogate.
            throw problem;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            // A constructor, setter or converter of the type refused the value.
            throw new InputError($"{what} cannot be read: {e.Message}");
        }

        return value is not null || isNullable ? value! : throw new InputError($"{what} must be {Mismatch.Describe(_schema.Value)}");
    }
}
