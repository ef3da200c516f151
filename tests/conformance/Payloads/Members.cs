using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Payloads;

/// <summary>The members of a JSON object in a case file. Each is taken once. A member that is not taken is an error in the file.</summary>
internal sealed class Members
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);

    /// <exception cref="FormatException">It is not an object, or has a duplicate member.</exception>
    public Members(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{value.GetRawText()} is not an object");
        }

        foreach (var member in value.EnumerateObject())
        {
            if (!_members.TryAdd(member.Name, member.Value))
            {
                throw new FormatException($"the member {member.Name} is duplicated");
            }
        }
    }

    public bool Has(string name) => _members.ContainsKey(name);

    public JsonElement? Take(string name) => _members.Remove(name, out var value) ? value : null;

    /// <exception cref="FormatException">It is missing.</exception>
    public JsonElement Require(string name) => Take(name) ?? throw new FormatException($"the member {name} is missing");

    public string RequireText(string name) => Text(name, Require(name));

    public string? TakeText(string name) => Take(name) is { } value ? Text(name, value) : null;

    public bool TakeFlag(string name) => Take(name)?.GetBoolean() ?? false;

    public int TakeCount(string name, int otherwise) => Take(name)?.GetInt32() ?? otherwise;

    public Payload? TakePayload(string name) => Take(name) is { } value ? Payload.Parse(value) : null;

    public Expectation? TakeExpectation(string name) => Take(name) is { } value ? Expectation.Parse(value) : null;

    public TimeSpan? TakeTime(string name) => TakeText(name) is { } text ? Duration.Parse(text) : null;

    public IReadOnlyList<string> TakeTexts(string name) =>
        Take(name) is { } value ? [.. value.EnumerateArray().Select(item => Text(name, item))] : [];

    public IReadOnlyList<KeyValuePair<string, string>> TakePairs(string name) =>
        Take(name) is { } value ? [.. value.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, Text(name, member.Value)))] : [];

    /// <exception cref="FormatException">A member was not taken.</exception>
    public void ThrowIfAnyIsLeft()
    {
        if (_members.Count > 0)
        {
            throw new FormatException($"unknown member {_members.Keys.First()}");
        }
    }

    private static string Text(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"{name} is not a string: {value.GetRawText()}");
}
