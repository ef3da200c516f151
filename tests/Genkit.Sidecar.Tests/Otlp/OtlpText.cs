using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Genkit.Sidecar.Tests.Otlp;

/// <summary>Writes messages as OTLP/JSON, as exporters do.</summary>
internal static class OtlpText
{
    public static string Of(IMessage message) => Write(message).ToJsonString();

    private static JsonObject Write(IMessage message)
    {
        var json = new JsonObject();
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var value = field.Accessor.GetValue(message);
            if (field.IsRepeated)
            {
                json[field.JsonName] = new JsonArray([.. ((System.Collections.IList)value).Cast<object>().Select(item => Write(field, item))]);
            }
            else if (field.ContainingOneof is { } oneof ? oneof.Accessor.GetCaseFieldDescriptor(message) == field : value is not (null or ByteString { Length: 0 }))
            {
                json[field.JsonName] = Write(field, value);
            }
        }

        return json;
    }

    private static JsonNode Write(FieldDescriptor field, object value) => value switch
    {
        IMessage message => Write(message),
        ByteString id when field.Name.EndsWith("_id", StringComparison.Ordinal) => Convert.ToHexStringLower(id.Span),
        ByteString bytes => bytes.ToBase64(),
        ulong or long => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        double number when !double.IsFinite(number) => number.ToString(CultureInfo.InvariantCulture),
        double number => number,
        bool truth => truth,
        string text => text,
        _ => Convert.ToInt64(value, CultureInfo.InvariantCulture),
    };
}
