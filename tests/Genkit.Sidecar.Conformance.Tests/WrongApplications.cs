using System.Text.Json;
using Genkit.Sidecar.Conformance.Payloads;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Which cases find which wrong application: <c>wrong.jsonc</c>.</summary>
internal static class WrongApplications
{
    /// <summary>The ids of cases by rule, each of which fails where the rule is broken.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> CasesByRule { get; } = Load();

    private static Dictionary<string, IReadOnlyList<string>> Load()
    {
        using var stream = typeof(WrongApplications).Assembly.GetManifestResourceStream("wrong.jsonc")!;
        using var document = JsonDocument.Parse(stream, CaseJson.Options);
        return document.RootElement.EnumerateObject().ToDictionary(
            rule => rule.Name, rule => (IReadOnlyList<string>)[.. rule.Value.EnumerateArray().Select(id => id.GetString()!)]);
    }
}
