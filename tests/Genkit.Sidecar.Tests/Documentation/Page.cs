using System.Text.RegularExpressions;

namespace Genkit.Sidecar.Tests.Documentation;

/// <summary>A Markdown file of the repository.</summary>
/// <param name="Path">Relative to the root of the repository.</param>
internal sealed partial record Page(string Path)
{
    private static readonly string[] s_generated = ["node_modules", "artifacts", "bin", "obj", "build", "dist"];

    public string Text { get; } = File.ReadAllText(System.IO.Path.Combine(Repository.Root, Path));

    /// <summary>The targets of all links, without those to other sites.</summary>
    public IEnumerable<string> Links =>
        Link().Matches(Text).Select(match => match.Groups["target"].Value).Where(target => !target.Contains("://", StringComparison.Ordinal)).Distinct();

    /// <summary>The anchors of all headings, as GitHub forms them.</summary>
    public IEnumerable<string> Anchors => Heading().Matches(Text).Select(match => Anchor(match.Groups["title"].Value));

    public static IEnumerable<Page> All() => In(new DirectoryInfo(Repository.Root));

    private static IEnumerable<Page> In(DirectoryInfo folder) =>
        folder.EnumerateFiles("*.md").Select(file => new Page(System.IO.Path.GetRelativePath(Repository.Root, file.FullName)))
            .Concat(folder.EnumerateDirectories().Where(IsWritten).SelectMany(In));

    private static bool IsWritten(DirectoryInfo folder) => !folder.Name.StartsWith('.') && !s_generated.Contains(folder.Name) && folder.LinkTarget is null;

    private static string Anchor(string title) => string.Concat(title.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (?<title>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
