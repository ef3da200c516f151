using System.Globalization;
using System.Text;
using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.Otlp;

/// <summary>Writes a value as the plain JSON that a person would: what JSON or JavaScript cannot hold becomes a string.</summary>
internal static class AnyValueJson
{
    /// <summary>Greatest integer that a JavaScript number holds without loss.</summary>
    private const long MaxSafeInteger = (1L << 53) - 1;

    public static void Write(JsonWriter json, AnyValue? value)
    {
        switch (value?.ValueCase ?? AnyValue.ValueOneofCase.None)
        {
            case AnyValue.ValueOneofCase.StringValue:
                json.Text(value!.StringValue);
                break;
            case AnyValue.ValueOneofCase.BoolValue:
                json.Boolean(value!.BoolValue);
                break;
            case AnyValue.ValueOneofCase.IntValue when IsSafe(value!.IntValue):
                json.Number(value.IntValue);
                break;
            case AnyValue.ValueOneofCase.IntValue:
                json.Text(Text(value!));
                break;
            case AnyValue.ValueOneofCase.DoubleValue when double.IsFinite(value!.DoubleValue):
                json.Number(value.DoubleValue);
                break;
            case AnyValue.ValueOneofCase.DoubleValue:
                json.Text(Text(value!));
                break;
            case AnyValue.ValueOneofCase.ArrayValue:
                json.StartArray();
                foreach (var item in value!.ArrayValue.Values)
                {
                    Write(json, item);
                }

                json.EndArray();
                break;
            case AnyValue.ValueOneofCase.KvlistValue:
                json.StartObject();
                foreach (var member in value!.KvlistValue.Values)
                {
                    json.Name(member.Key);
                    Write(json, member.Value);
                }

                json.EndObject();
                break;
            case AnyValue.ValueOneofCase.BytesValue:
                json.Text(value!.BytesValue.ToBase64());
                break;
            default:
                json.Null();
                break;
        }
    }

    /// <summary>Whether JavaScript reads the number as it is.</summary>
    public static bool IsSafe(long number) => number is >= -MaxSafeInteger and <= MaxSafeInteger;

    /// <summary>A string's text, and the JSON text of any other value, without quotes around what <see cref="Write"/> has to quote.</summary>
    public static string Text(AnyValue value)
    {
        switch (value.ValueCase)
        {
            case AnyValue.ValueOneofCase.StringValue:
                return value.StringValue;
            case AnyValue.ValueOneofCase.IntValue:
                return value.IntValue.ToString(CultureInfo.InvariantCulture);
            case AnyValue.ValueOneofCase.DoubleValue:
                return value.DoubleValue.ToString("R", CultureInfo.InvariantCulture);
            case AnyValue.ValueOneofCase.BytesValue:
                return value.BytesValue.ToBase64();
            default:
                return Serialize(value);
        }
    }

    /// <summary>The JSON text of a value.</summary>
    public static string Serialize(AnyValue value)
    {
        var json = new JsonWriter();
        Write(json, value);
        return Encoding.UTF8.GetString(json.Written.Span);
    }
}
