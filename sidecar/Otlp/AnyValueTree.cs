using Genkit.Sidecar.Otlp.Wire;

namespace Genkit.Sidecar.Otlp;

/// <summary>Makes values, and finds their parts.</summary>
internal static class AnyValueTree
{
    public static AnyValue String(string text) => new() { StringValue = text };

    public static AnyValue List(IEnumerable<AnyValue> items)
    {
        var array = new ArrayValue();
        array.Values.AddRange(items);
        return new AnyValue { ArrayValue = array };
    }

    /// <summary>Members whose value is null are left out.</summary>
    public static AnyValue Map(params IEnumerable<(string Name, AnyValue? Value)> members)
    {
        var list = new KeyValueList();
        foreach (var (name, value) in members)
        {
            if (value is not null)
            {
                list.Values.Add(new KeyValue { Key = name, Value = value });
            }
        }

        return new AnyValue { KvlistValue = list };
    }

    /// <summary>Attributes by key. Where one comes twice, which it should not, the last counts.</summary>
    public static OrderedDictionary<string, AnyValue> ByKey(IEnumerable<KeyValue> pairs)
    {
        var attributes = new OrderedDictionary<string, AnyValue>();
        foreach (var pair in pairs)
        {
            attributes[pair.Key] = pair.Value ?? new AnyValue();
        }

        return attributes;
    }

    extension(AnyValue value)
    {
        public bool IsString => value.ValueCase == AnyValue.ValueOneofCase.StringValue;

        public bool IsList => value.ValueCase == AnyValue.ValueOneofCase.ArrayValue;

        public bool IsMap => value.ValueCase == AnyValue.ValueOneofCase.KvlistValue;

        /// <summary>The first of these members that a map has with a value; null if there is none.</summary>
        public AnyValue? Member(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                foreach (var member in value.KvlistValue?.Values ?? [])
                {
                    if (member.Key == name && member.Value is { ValueCase: not AnyValue.ValueOneofCase.None } found)
                    {
                        return found;
                    }
                }
            }

            return null;
        }

        /// <summary>Such a member as text, whatever it is; null if there is none.</summary>
        public string? MemberText(params ReadOnlySpan<string> names) => value.Member(names) is { } found ? AnyValueJson.Text(found) : null;

        /// <summary>What a text that is a JSON object or array says; any other value as it is.</summary>
        public AnyValue Parsed() =>
            value.IsString && JsonTree.TryParse(value.StringValue, out var tree) && (tree.IsList || tree.IsMap) ? tree : value;
    }
}
