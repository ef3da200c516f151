using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Genkit.Sidecar.Client;

/// <summary>Explains in JSON terms why a value could not be read as a type.</summary>
internal static class Mismatch
{
    /// <summary>Returns the error for a value that could not be read.</summary>
    /// <param name="json">The value.</param>
    /// <param name="schema">Schema of the type.</param>
    /// <param name="what">Name of the whole value in the message.</param>
    /// <param name="cause">The exception from reading.</param>
    public static InputError Explain(RawJson json, JsonNode schema, string what, JsonException cause) =>
        Find(json, schema, what) ?? Unreadable(schema, PathOf(cause)).ToError(what);

    /// <summary>Returns the first mismatch between the value and the schema, or null.</summary>
    public static InputError? Find(RawJson json, JsonNode schema, string what)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json.Utf8, new JsonDocumentOptions { MaxDepth = int.MaxValue });
        }
        catch (JsonException e)
        {
            return new InputError($"{what} is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
        }

        using (document)
        {
            return new Walk(schema).Visit(document.RootElement, schema, "", 0)?.ToError(what);
        }
    }

    /// <summary>Describes the values of a schema, such as <c>an object with "name"</c>.</summary>
    public static string Describe(JsonNode? schema)
    {
        if (schema is not JsonObject members)
        {
            return "a value";
        }

        if (members["enum"] is JsonArray values)
        {
            return $"one of {string.Join(", ", values.Select(value => value?.ToJsonString() ?? "null"))}";
        }

        var types = TypesOf(members).Select(type => type switch
        {
            "object" => Required(members).ToList() is { Count: > 0 } required ? $"an object with {string.Join(", ", required.Select(name => $"\"{name}\""))}" : "an object",
            "array" => "an array",
            "integer" => "an integer",
            "boolean" => "true or false",
            "null" => "null",
            "string" when members["format"] is JsonValue format => $"a string of format {format}",
            _ => $"a {type}",
        });
        return string.Join(" or ", types) is { Length: > 0 } description ? description : members.ContainsKey("$ref") ? "an object" : "a value";
    }

    private static IEnumerable<string> TypesOf(JsonObject schema) => schema["type"] switch
    {
        JsonValue type => [type.GetValue<string>()],
        JsonArray types => types.Select(type => type!.GetValue<string>()),
        _ => [],
    };

    private static IEnumerable<string> Required(JsonObject schema) => schema["required"] is JsonArray required ? required.Select(name => name!.GetValue<string>()) : [];

    /// <summary>Describes a value that matches the schema and is still refused: a number out of range, or a string that is not a date.</summary>
    private static Problem Unreadable(JsonNode schema, string path)
    {
        var at = (JsonNode?)schema;
        foreach (var step in path.Split('.', '['))
        {
            at = step.EndsWith(']') ? at?["items"] : step.Length > 0 ? at?["properties"]?[step] ?? (at?["additionalProperties"] as JsonObject) : at;
        }

        return new Problem(path, $"cannot be read as {Describe(at)}");
    }

    /// <summary>Returns a path such as <c>$.items[1].price</c> without the root.</summary>
    private static string PathOf(JsonException cause) => cause.Path is { Length: > 1 } path ? path[1..].TrimStart('.') : "";

    private sealed record Problem(string Path, string Text)
    {
        public InputError ToError(string what) => new(Path.Length == 0 ? $"{what} {Text}" : $"\"{Path}\" {Text}");
    }

    private sealed class Walk(JsonNode root)
    {
        // The reader's own depth limit is far lower.
        private const int MaxDepth = 1000;

        public Problem? Visit(JsonElement value, JsonNode? schema, string path, int depth)
        {
            try
            {
                return Check(value, schema, path, depth);
            }
            catch (InvalidOperationException)
            {
                // A value or member name contains an escaped lone surrogate, which is valid JSON but not a valid .NET string.
                return new Problem(path, "contains a string that is not valid Unicode");
            }
        }

        private Problem? Check(JsonElement value, JsonNode? schema, string path, int depth)
        {
            if (depth > MaxDepth)
            {
                return new Problem(path, "is nested too deeply");
            }

            if (schema is not JsonObject members)
            {
                return null;
            }

            if (members["$ref"] is JsonValue reference)
            {
                return Visit(value, Resolve(reference.GetValue<string>()), path, depth + 1);
            }

            if (members["enum"] is JsonArray values)
            {
                return values.Any(allowed => JsonNode.DeepEquals(allowed, NodeOf(value))) ? null : new Problem(path, $"must be {Describe(schema)}");
            }

            if (TypesOf(members).ToList() is { Count: > 0 } types && !types.Exists(type => Is(value, type)))
            {
                return new Problem(path, $"must be {Describe(schema)}");
            }

            return value.ValueKind switch
            {
                JsonValueKind.Object => VisitSubtype(value, members["anyOf"] as JsonArray, path, depth) ?? VisitMembers(value, members, path, depth),
                JsonValueKind.Array => VisitItems(value, members["items"], path, depth),
                _ => null,
            };
        }

        // A member that is constant in each subtype is the type discriminator.
        private Problem? VisitSubtype(JsonElement value, JsonArray? subtypes, string path, int depth)
        {
            var constants = (subtypes ?? []).Select(subtype => (Subtype: subtype as JsonObject, Member: ConstantOf(subtype))).ToList();
            if (constants.Count == 0 || constants.Exists(constant => constant.Member.Key is null))
            {
                return null;
            }

            var name = constants[0].Member.Key;
            var isGiven = value.TryGetProperty(name, out var given);
            foreach (var (subtype, member) in constants)
            {
                if (isGiven && JsonNode.DeepEquals(member.Value!["const"], NodeOf(given)))
                {
                    return VisitMembers(value, subtype!, path, depth);
                }
            }

            var allowed = string.Join(", ", constants.Select(constant => constant.Member.Value!["const"]!.ToJsonString()));
            return new Problem(Join(path, name), $"must be {(isGiven ? "" : "given: ")}one of {allowed}");
        }

        private static KeyValuePair<string, JsonNode?> ConstantOf(JsonNode? subtype) => subtype is JsonObject members && members["properties"] is JsonObject properties
            ? properties.FirstOrDefault(property => property.Value is JsonObject schema && schema["const"] is not null)
            : default;

        private Problem? VisitMembers(JsonElement value, JsonObject schema, string path, int depth)
        {
            var properties = schema["properties"] as JsonObject;
            foreach (var name in Required(schema))
            {
                if (!value.TryGetProperty(name, out _))
                {
                    return new Problem(Join(path, name), $"must be given: {Describe(properties?[name])}");
                }
            }

            foreach (var member in value.EnumerateObject())
            {
                var isKnown = properties?.ContainsKey(member.Name) ?? false;
                var known = isKnown ? properties![member.Name] : schema["additionalProperties"];
                if (!isKnown && known is JsonValue)
                {
                    return new Problem(Join(path, member.Name), "is unknown");
                }

                if (Visit(member.Value, known, Join(path, member.Name), depth + 1) is { } problem)
                {
                    return problem;
                }
            }

            return null;
        }

        private Problem? VisitItems(JsonElement value, JsonNode? schema, string path, int depth)
        {
            var index = 0;
            foreach (var item in value.EnumerateArray())
            {
                if (Visit(item, schema, $"{path}[{index}]", depth + 1) is { } problem)
                {
                    return problem;
                }

                index++;
            }

            return null;
        }

        private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

        private static JsonValue? NodeOf(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null : JsonValue.Create(value);

        private static bool Is(JsonElement value, string type) => value.ValueKind switch
        {
            JsonValueKind.Object => type == "object",
            JsonValueKind.Array => type == "array",
            JsonValueKind.String => type == "string",
            JsonValueKind.True or JsonValueKind.False => type == "boolean",
            JsonValueKind.Null => type == "null",
            _ => type == "number" || (type == "integer" && value.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') < 0),
        };

        private JsonNode? Resolve(string pointer)
        {
            var at = (JsonNode?)root;
            foreach (var step in pointer.Split('/').Skip(1))
            {
                var name = new StringBuilder(Uri.UnescapeDataString(step)).Replace("~1", "/").Replace("~0", "~").ToString();
                at = at is JsonArray array ? array[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)] : at?[name];
            }

            return at;
        }
    }
}
