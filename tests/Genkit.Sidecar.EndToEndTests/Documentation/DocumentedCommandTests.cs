using System.Reflection;
using System.Text.RegularExpressions;

namespace Genkit.Sidecar.EndToEndTests.Documentation;

/// <summary>Each command of the pages is run by a test, or docs/not-verified.md lists it. A command may be on several pages.</summary>
public sealed partial class DocumentedCommandTests
{
    [Fact]
    public void Commands_OfAllPages_AreRunByATestOrListed()
    {
        var documented = DocumentedPage.All().SelectMany(page => page.Commands).ToHashSet();
        var run = Assembly.GetExecutingAssembly().GetTypes().SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetCustomAttributes<DocumentedCommandAttribute>())
            .SelectMany(attribute => attribute.Commands()).ToHashSet();
        var listed = ListedRow().Matches(new DocumentedPage(DocumentedPage.NotVerifiedPath).Text).Select(match => match.Groups["command"].Value).ToHashSet();

        Assert.Empty(documented.Except(run).Except(listed)); // neither run nor listed
        Assert.Empty(listed.Intersect(run)); // listed, although a test runs it
        Assert.Empty(listed.Except(documented)); // listed, but on no page
    }

    [GeneratedRegex(@"^\| `(?<command>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex ListedRow();
}
