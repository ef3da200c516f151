using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Running;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Cases are passed by an application that does all right.</summary>
public class RightApplicationTests
{
    private static readonly HashSet<string> s_none = [];

    [Fact]
    public async Task RightApplication_AllCases_Pass()
    {
        var outcomes = await Cases.RunAsync(Cases.All, null, s_none, Timeouts.Default);

        Assert.DoesNotContain(outcomes, outcome => outcome.IsBad);
        Assert.InRange(outcomes.Count(outcome => outcome.Verdict == Verdict.Passed), 200, int.MaxValue);
    }

    [Theory]
    [InlineData("bidi")]
    [InlineData("values")]
    [InlineData("runtime-info")]
    [InlineData("configure")]
    [InlineData("health")]
    public async Task RightApplication_WithoutAFeature_PassesWhatThenApplies(string feature)
    {
        var cases = Cases.All.Where(one => one.Unless.Contains(feature) || one.Id is "listing/catalogue" or "plain/greet");

        var outcomes = await Cases.RunAsync(cases, null, new HashSet<string> { feature }, Timeouts.Default);

        Assert.DoesNotContain(outcomes, outcome => outcome.IsBad);
        Assert.Contains(outcomes, outcome => outcome.Case.Unless.Contains(feature) && outcome.Verdict == Verdict.Passed);
    }

    [Fact]
    public async Task RightApplication_ThatSaysMoreThanIsKnown_Passes()
    {
        var cases = Cases.All.Where(one => one.Id.StartsWith("streaming/", StringComparison.Ordinal) || one.Id.StartsWith("errors/", StringComparison.Ordinal));

        var outcomes = await Cases.RunAsync(cases, Rule.SendsUnknownMembers, s_none, Timeouts.Default);

        Assert.DoesNotContain(outcomes, outcome => outcome.IsBad);
    }
}
