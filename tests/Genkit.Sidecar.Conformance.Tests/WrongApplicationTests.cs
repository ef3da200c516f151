using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Running;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Each case can fail: a deliberately wrong application fails it.</summary>
public class WrongApplicationTests(WrongApplicationRuns runs) : IClassFixture<WrongApplicationRuns>
{
    public static TheoryData<string> Rules => [.. WrongApplications.CasesByRule.Keys];

    [Theory]
    [MemberData(nameof(Rules))]
    public void WrongApplication_ItsCases_Fail(string rule)
    {
        var outcomes = runs.Outcomes[rule];

        Assert.Equal(WrongApplications.CasesByRule[rule], outcomes.Where(outcome => outcome.Verdict == Verdict.Failed).Select(outcome => outcome.Case.Id));
        Assert.DoesNotContain(outcomes, outcome => outcome.Reason!.Contains("the kit failed", StringComparison.Ordinal));
        Assert.All(outcomes, outcome => Assert.Equal(WrongApplicationRuns.Hangs(rule), outcome.Reason!.StartsWith("it hangs", StringComparison.Ordinal)));
    }

    [Fact]
    public void WrongApplications_AllTogether_FailEveryCase()
    {
        var failed = WrongApplications.CasesByRule.Values.SelectMany(ids => ids).ToHashSet();
        var ofApplications = Cases.All.Where(one => !one.NotIn.ContainsKey(Way.Application)).Select(one => one.Id);

        Assert.All(ofApplications, id => Assert.Contains(id, failed));
    }

    /// <summary>But for the one that is right, and the one that would end the tests' own process, which <see cref="ProgramTests"/> runs in another.</summary>
    [Fact]
    public void WrongApplications_AreThoseOfAllRules() =>
        Assert.Equal(
            RuleNames.All.Where(rule => rule.Value is not (Rule.SendsUnknownMembers or Rule.ExceptionsEndIt)).Select(rule => rule.Key).Order(StringComparer.Ordinal),
            WrongApplications.CasesByRule.Keys.Order(StringComparer.Ordinal));
}
