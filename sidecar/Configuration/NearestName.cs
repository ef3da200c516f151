namespace Genkit.Sidecar.Configuration;

/// <summary>Finds the name that was probably meant by a mistyped one.</summary>
internal static class NearestName
{
    /// <summary>Empty when nothing is near enough to be worth a guess.</summary>
    public static string Hint(string typed, IReadOnlyCollection<string> known) =>
        Of(typed, known) is { } nearest ? $", did you mean {nearest}?" : "";

    public static string? Of(string typed, IReadOnlyCollection<string> known)
    {
        // An abbreviation, such as "info": far away by letters, but no other can be meant.
        const int ShortestAbbreviation = 3;
        if (typed.Length >= ShortestAbbreviation
            && known.FirstOrDefault(name => name.StartsWith(typed, StringComparison.OrdinalIgnoreCase)) is { } whole)
        {
            return whole;
        }

        var nearest = known
            .Select(name => (Name: name, Distance: Distance(typed.ToLowerInvariant(), name.ToLowerInvariant())))
            .MinBy(candidate => candidate.Distance);

        // Two letters swapped, or a third of them wrong, is a typing error; more is another word.
        return nearest.Name is not null && nearest.Distance < typed.Length && nearest.Distance <= Math.Max(2, nearest.Name.Length / 3)
            ? nearest.Name
            : null;
    }

    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
