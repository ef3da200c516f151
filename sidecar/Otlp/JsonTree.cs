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
            value = Read(ref json);
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

    private static AnyValue Read(ref Utf8JsonReader json)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new KeyValueList();
                while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
                {
                    var name = json.GetStringAsEscaped();
                    json.Read();
                    map.Values.Add(new KeyValue { Key = name, Value = Read(ref json) });
                }

                return new AnyValue { KvlistValue = map };
            case JsonTokenType.StartArray:
                var list = new ArrayValue();
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    list.Values.Add(Read(ref json));
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
