using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.Otlp;

/// <summary>Reads a JSON text into a value, as instrumentations put into one attribute what has parts.</summary>
internal static class JsonTree
{
    /// <summary>Deeper texts are shown as they are.</summary>
    private const int MaxDepth = 64;

    /// <summary>So are texts of more values: one of two bytes would take fifty.</summary>
    private const int MaxValues = 100_000;

    public static bool TryParse(string text, [NotNullWhen(true)] out AnyValue? value)
    {
        value = null;
        if (text.AsSpan().TrimStart() is not ['{' or '[', ..])
        {
            return false;
        }

        try
        {
            var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { MaxDepth = MaxDepth });
            json.Read();
            var left = MaxValues;
            value = Read(ref json, ref left);
            while (json.Read())
            {
            }

            return true;
        }
        catch (Exception exception) when (JsonPayload.IsDefect(exception))
        {
            return false;
        }
    }

    private static AnyValue Read(ref Utf8JsonReader json, ref int left)
    {
        if (left-- == 0)
        {
            throw new JsonException($"more than {MaxValues} values");
        }

        switch (json.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new KeyValueList();
                while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
                {
                    var name = json.GetStringAsEscaped();
                    json.Read();
                    map.Values.Add(new KeyValue { Key = name, Value = Read(ref json, ref left) });
                }

                return new AnyValue { KvlistValue = map };
            case JsonTokenType.StartArray:
                var list = new ArrayValue();
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    list.Values.Add(Read(ref json, ref left));
                }

                return new AnyValue { ArrayValue = list };
            case JsonTokenType.String:
                return new AnyValue { StringValue = json.GetStringAsEscaped() };
            case JsonTokenType.Number:
                return json.TryGetInt64(out var integer) ? new AnyValue { IntValue = integer } : new AnyValue { DoubleValue = json.GetDouble() };
            case JsonTokenType.True or JsonTokenType.False:
                return new AnyValue { BoolValue = json.TokenType == JsonTokenType.True };
            default:
                return new AnyValue();
        }
    }
}
