using System.Text.RegularExpressions;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Which cases are run, by globs of their ids: <c>*</c> stands for anything.</summary>
internal sealed class Selection(IReadOnlyList<string> globs)
{
    private readonly List<Regex> _patterns = [.. globs.Select(glob => new Regex($"^{Regex.Escape(glob).Replace("\\*", ".*", StringComparison.Ordinal)}$", RegexOptions.CultureInvariant))];

    /// <summary>Whether a case is among them; all are where there is no glob.</summary>
    public bool Has(string id) => _patterns.Count == 0 || _patterns.Exists(pattern => pattern.IsMatch(id));

    /// <summary>The first glob that stands for none of these; null if there is none such.</summary>
    public string? Useless(IEnumerable<string> ids) => globs.Where((_, i) => !ids.Any(_patterns[i].IsMatch)).FirstOrDefault();
}
