using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>Names of rules in flags and files: <c>null-for-absent</c>.</summary>
internal static class RuleNames
{
    public static IReadOnlyDictionary<string, Rule> All { get; } =
        Enum.GetValues<Rule>().ToDictionary(rule => JsonNamingPolicy.KebabCaseLower.ConvertName(rule.ToString()), StringComparer.Ordinal);

    public static Rule? Find(string name) => All.TryGetValue(name, out var rule) ? rule : null;
}
