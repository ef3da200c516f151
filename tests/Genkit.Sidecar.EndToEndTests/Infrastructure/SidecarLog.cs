using System.Text.RegularExpressions;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The stderr of the sidecars of one workspace. A line of level error or above fails the test.</summary>
internal sealed partial class SidecarLog(string path)
{
    public string Path { get; } = path;

    public void AssertHasNoErrors()
    {
        var errors = Lines().Where(line => ErrorLine().IsMatch(line)).ToList();
        Assert.True(errors.Count == 0, $"The sidecar logged errors:\n{string.Join('\n', errors)}");
    }

    public override string ToString() => string.Join('\n', Lines());

    private string[] Lines() => File.Exists(Path) ? File.ReadAllLines(Path) : [];

    // "<timestamp> fail: <category> <message>", where the level is .NET's short name or the full word.
    [GeneratedRegex(@"^\S+( \S+)? (fail|crit|error|critical)\b", RegexOptions.IgnoreCase)]
    private static partial Regex ErrorLine();
}
