using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Genkit.Sidecar.EndToEndTests.Documentation;

/// <summary>Passes commands of a page to a test, which runs them. The test fails if the page has no such command.</summary>
/// <param name="page">The page, relative to the root of the repository.</param>
/// <param name="prefixes">How the commands begin, one for each argument of the test.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DocumentedCommandAttribute(string page, params string[] prefixes) : DataAttribute
{
    public string Page { get; } = page;

    public IReadOnlyList<string> Prefixes { get; } = prefixes;

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([new TheoryDataRow([.. Commands()])]);

    public override bool SupportsDiscoveryEnumeration() => true;

    internal IEnumerable<string> Commands()
    {
        var read = new DocumentedPage(Page);
        return Prefixes.Select(read.Command);
    }
}
