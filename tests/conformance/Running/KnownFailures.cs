using System.Globalization;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Cases that fail, and why. One line each, <c>ID: REASON</c>; lines that begin with <c>#</c> are comments.</summary>
internal static class KnownFailures
{
    /// <param name="lines">The file.</param>
    /// <param name="ids">The ids that there are.</param>
    /// <returns>The reasons by id.</returns>
    /// <exception cref="FormatException">Lines have no reason, or name a case that is not there, or that another one has named: all of them are told.</exception>
    public static IReadOnlyDictionary<string, string> Read(IEnumerable<string> lines, IReadOnlySet<string> ids)
    {
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        var faults = lines.Select((text, i) => Take(text.Trim(), ids, reasons) is { } fault ? string.Create(CultureInfo.InvariantCulture, $"line {i + 1}{fault}") : null)
            .Where(fault => fault is not null)
            .ToList();
        return faults.Count == 0 ? reasons : throw new FormatException(string.Join("; ", faults));
    }

    /// <summary>Takes one line.</summary>
    /// <returns>What is wrong with it; null if nothing is.</returns>
    private static string? Take(string line, IReadOnlySet<string> ids, Dictionary<string, string> reasons)
    {
        if (line.Length == 0 || line.StartsWith('#'))
        {
            return null;
        }

        if (line.Split(':', 2, StringSplitOptions.TrimEntries) is not [var id, { Length: > 0 } reason])
        {
            return " is not ID: REASON";
        }

        if (!ids.Contains(id))
        {
            return $": there is no case {id}";
        }

        return reasons.TryAdd(id, reason) ? null : $": {id} was there before";
    }
}
