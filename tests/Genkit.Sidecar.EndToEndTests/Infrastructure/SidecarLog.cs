using System.Text.RegularExpressions;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The stderr of the sidecars of one workspace. A line of level error or above fails the test.</summary>
internal sealed partial class SidecarLog(string path)
{
    public string Path { get; } = path;

    public static void AssertHasNoErrors(IEnumerable<string> lines)
    {
        var errors = lines.Where(line => SidecarEvent.Parse(line)?.IsError ?? ErrorLine().IsMatch(line)).ToList();
        Assert.True(errors.Count == 0, $"The sidecar logged errors:\n{string.Join('\n', errors)}");
    }

    public void AssertHasNoErrors() => AssertHasNoErrors(Lines());

    public override string ToString() => string.Join('\n', Lines());

    private string[] Lines() => File.Exists(Path) ? File.ReadAllLines(Path) : [];

    // The text format, which containers log: "12:34:56.789 fail: <category>: <message>".
    [GeneratedRegex(@"^\d\d:\d\d:\d\d\.\d{3} (fail|crit): ")]
    private static partial Regex ErrorLine();
}
