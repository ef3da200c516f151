using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Json;
using Google.Protobuf;

namespace Genkit.Sidecar.Application;

/// <summary>
/// Turns the application's actions into the map that Genkit's manager takes. The manager checks the whole map at once and
/// refuses all of it for one bad member, so whatever it would refuse is left out here, and said.
/// </summary>
internal sealed class ListedActions
{
    private readonly List<string> _omissions = [];

    private ListedActions()
    {
    }

    /// <summary>One JSON object: key → <c>{key, name, description?, inputSchema?, outputSchema?, metadata?}</c>.</summary>
    public ReadOnlyMemory<byte> Map { get; private set; }

    /// <summary>Key and description of the actions that are in the map, the last of each key, in the application's order.</summary>
    public IReadOnlyList<(string Key, string? Description)> Actions { get; private set; } = [];

    /// <summary>What was left out and why, for the log. Names keys and members, never values.</summary>
    public IReadOnlyList<string> Omissions => _omissions;

    public static ListedActions From(IEnumerable<V1.Action> actions)
    {
        var listed = new ListedActions();
        var usable = listed.Usable(actions);
        var map = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(map, JsonPayload.WriterOptions))
        {
            json.WriteStartObject();
            foreach (var action in usable)
            {
                listed.Write(json, action);
            }

            json.WriteEndObject();
        }

        listed.Map = map.WrittenMemory;
        listed.Actions = [.. usable.Select(action => (action.Key, action.HasDescription ? action.Description : null))];
        return listed;
    }

    private List<V1.Action> Usable(IEnumerable<V1.Action> actions)
    {
        var byKey = new OrderedDictionary<string, V1.Action>();
        foreach (var action in actions)
        {
            if (action.Key.Length == 0)
            {
                _omissions.Add($"an action without a key (name \"{action.Name}\")");
            }
            else if (action.Name.Length == 0)
            {
                _omissions.Add($"{action.Key}: it has no name");
            }
            else
            {
                if (byKey.Remove(action.Key))
                {
                    _omissions.Add($"{action.Key}: it is listed more than once, the last counts");
                }

                byKey[action.Key] = action;
            }
        }

        return [.. byKey.Values];
    }

    private void Write(Utf8JsonWriter json, V1.Action action)
    {
        json.WriteStartObject(action.Key);
        json.WriteString("key"u8, action.Key);
        json.WriteString("name"u8, action.Name);
        if (action.HasDescription)
        {
            json.WriteString("description"u8, action.Description);
        }

        if (action.HasInputSchemaJson && IsObject(action, "input_schema_json", action.InputSchemaJson))
        {
            json.WritePropertyName("inputSchema"u8);
            json.WriteRawValue(action.InputSchemaJson.Span, skipInputValidation: true);
        }

        if (action.HasOutputSchemaJson && IsObject(action, "output_schema_json", action.OutputSchemaJson))
        {
            json.WritePropertyName("outputSchema"u8);
            json.WriteRawValue(action.OutputSchemaJson.Span, skipInputValidation: true);
        }

        if (action.HasMetadataJson && IsObject(action, "metadata_json", action.MetadataJson))
        {
            json.WritePropertyName("metadata"u8);
            WriteMetadata(json, action);
        }

        json.WriteEndObject();
    }

    private bool IsObject(V1.Action action, string field, ByteString value)
    {
        var defect = JsonPayload.FindDefect(value.Memory, out var root);
        if (defect is null && root != JsonTokenType.StartObject)
        {
            defect = "it is not a JSON object";
        }

        if (defect is not null)
        {
            _omissions.Add($"{action.Key}: {field}: {defect}");
        }

        return defect is null;
    }

    /// <summary>
    /// Copies the members that the manager's schema takes: a string, number, boolean or object, or an array of those. What is
    /// inside an object is not looked at, by the manager nor here.
    /// </summary>
    private void WriteMetadata(Utf8JsonWriter json, V1.Action action)
    {
        var bytes = action.MetadataJson.Span;
        var reader = new Utf8JsonReader(bytes, isFinalBlock: true, new JsonReaderState(JsonPayload.ReaderOptions));
        reader.Read();
        var kept = new ArrayBufferWriter<byte>(bytes.Length);
        kept.Write("{"u8);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var nameEnd = (int)reader.BytesConsumed;
            reader.Read();
            if (IsTaken(ref reader))
            {
                kept.Write(kept.WrittenCount > 1 ? ","u8 : default);
                kept.Write(bytes[start..(int)reader.BytesConsumed]);
            }
            else
            {
                var name = System.Text.Encoding.UTF8.GetString(bytes[start..nameEnd]).TrimEnd(':', ' ', '\t', '\r', '\n');
                _omissions.Add($"{action.Key}: metadata member {name}: the manager takes no null, no null in an array and no array in an array");
            }
        }

        kept.Write("}"u8);
        json.WriteRawValue(kept.WrittenSpan, skipInputValidation: true);
    }

    /// <summary>Reads one member's value to its end.</summary>
    private static bool IsTaken(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return reader.TokenType != JsonTokenType.Null;
        }

        var taken = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            taken &= reader.TokenType is not (JsonTokenType.Null or JsonTokenType.StartArray);
            reader.Skip();
        }

        return taken;
    }
}

/// <summary>Values of one type by name.</summary>
/// <param name="Json">One JSON object.</param>
internal sealed record ListedValues(ReadOnlyMemory<byte> Json);
