using System.Text.RegularExpressions;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Documentation;

/// <summary>The README or a page of the documentation.</summary>
internal sealed partial class DocumentedPage(string path)
{
    /// <summary>The page that lists the commands that no test runs.</summary>
    public const string NotVerifiedPath = "docs/not-verified.md";

    public string Text { get; } = File.ReadAllText(Path.Combine(Repository.Root, path));

    /// <summary>The commands in blocks of shell code, without comments after them.</summary>
    public IEnumerable<string> Commands =>
        Blocks("sh").SelectMany(block => block.Split('\n')).Select(line => Comment().Replace(line, "")).Where(line => line.Length > 0);

    /// <summary>The pages whose commands users run.</summary>
    public static IEnumerable<DocumentedPage> All() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md")
        .Select(file => Path.GetRelativePath(Repository.Root, file))
        .Where(file => file != NotVerifiedPath)
        .Prepend("README.md")
        .Select(file => new DocumentedPage(file));

    /// <summary>Returns the contents of all blocks of code in a language, each ending with a line break.</summary>
    public IEnumerable<string> Blocks(string language) =>
        Block().Matches(Text).Where(match => match.Groups["language"].Value == language).Select(match => match.Groups["code"].Value);

    /// <summary>Returns the command that begins with <paramref name="prefix"/>.</summary>
    public string Command(string prefix)
    {
        var found = Commands.Where(command => command.StartsWith(prefix, StringComparison.Ordinal)).Distinct().ToList();
        return found.Count == 1
            ? found[0]
            : throw new ArgumentException($"{path} has {found.Count} commands that begin with `{prefix}`.", nameof(prefix));
    }

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("  +# .*$")]
    private static partial Regex Comment();
}
