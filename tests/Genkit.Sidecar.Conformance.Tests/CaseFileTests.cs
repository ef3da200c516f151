using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Errors in case files are reported.</summary>
public class CaseFileTests
{
    private static readonly Dictionary<string, string> s_featureByKey = Cases.Catalogue.Root.GetProperty("actions").EnumerateArray()
        .Where(action => action.TryGetProperty("feature", out _))
        .ToDictionary(action => action.GetProperty("key").GetString()!, action => action.GetProperty("feature").GetString()!);

    [Theory]
    [InlineData("""{"cases": [{"id": "a", "clause": "c", "why": "w", "steps": [{"walk": 1}]}]}""", "a: the step has none of run,")]
    [InlineData("""{"cases": [{"id": "a", "clause": "c", "why": "w", "steps": [{"run": "/flow/x", "inptu": 1}]}]}""", "unknown member inptu")]
    [InlineData("""{"cases": [{"id": "a", "why": "w", "steps": []}]}""", "the member clause is missing")]
    [InlineData("""{"cases": [{"id": "A_b", "clause": "c", "why": "w", "steps": []}]}""", "lower-case words")]
    [InlineData("""{"cases": [{"id": "a", "clause": "c", "why": "w", "needs": ["wings"], "steps": []}]}""", "unknown feature wings")]
    [InlineData("""{"cases": [{"id": "a", "clause": "c", "why": "w", "timeout": "soon", "steps": []}]}""", "'soon' is not a duration")]
    [InlineData("""{"cases": [{"id": "a", "clause": "c", "why": "w", "steps": [{"health": "", "is": ["Serving"]}]}]}""", "needs notIn with a reason")]
    [InlineData("""{"cases": [{"id": "a", "clause": "c", "why": "w", "steps": [{"run": "/flow/x", "input": {"$sum": 1}}]}]}""", "$sum is not a payload generator")]
    [InlineData("""{"cases": [{"id": "a", "clause": "c", "why": "w", "steps": [{"run": "/flow/x", "input": {"$string": "4 mib"}}]}]}""", "'4 mib' is not a size")]
    [InlineData("""{"cases": [""", "x.jsonc: ")]
    public void Suite_WithAMistake_NamesFileAndMistake(string text, string message)
    {
        var failure = Assert.Throws<FormatException>(() => SuiteReader.Read("cases/x.jsonc", text, Cases.Catalogue));

        Assert.StartsWith("cases/x.jsonc: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Catalogue_Features_AreAllUsedByCases()
    {
        var used = Cases.All.SelectMany(one => one.Needs.Concat(one.Unless)).Concat(s_featureByKey.Values).ToHashSet();

        Assert.Equal(Cases.Catalogue.Features.Keys.Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Case_ThatRunsAnActionOfAFeature_NeedsTheFeature()
    {
        var careless = Cases.All.Where(one => !one.NotIn.ContainsKey(Way.Application)).SelectMany(
            one => s_featureByKey.Where(pair => one.Steps.Any(step => step.Text.Contains($"\"{pair.Key}\"", StringComparison.Ordinal)) && !one.Needs.Contains(pair.Value)),
            (one, pair) => $"{one.Id} runs {pair.Key} and does not need {pair.Value}");

        Assert.Empty(careless);
    }
}
