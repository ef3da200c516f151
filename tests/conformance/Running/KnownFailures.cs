using System.Globalization;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Cases that fail, and why. One line each, <c>ID: REASON</c>; lines that begin with <c>#</c> are comments.</summary>
internal static class KnownFailures
{
    /// <param name="lines">The file.</param>
    /// <param name="ids">The ids that there are.</param>
    /// <returns>The reasons by id.</returns>
    /// <exception cref="FormatException">A line has no reason, or names a case that is not there.</exception>
    public static IReadOnlyDictionary<string, string> Read(IEnumerable<string> lines, IReadOnlySet<string> ids)
    {
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var text in lines)
        {
            number++;
            var line = text.Trim();
            if (line.Length == 0 || line.StartsWith('#'))
            {
                continue;
            }

            var parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
            if (parts is not [var id, { Length: > 0 } reason])
            {
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"line {number} is not ID: REASON"));
            }

            if (!ids.Contains(id))
            {
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"line {number}: there is no case {id}"));
            }

            reasons[id] = reason;
        }

        return reasons;
    }
}
