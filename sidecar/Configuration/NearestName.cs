namespace Genkit.Sidecar.Configuration;

/// <summary>What somebody who mistyped a name probably meant.</summary>
internal static class NearestName
{
    /// <summary>Empty when nothing is near enough to be worth a guess.</summary>
    public static string Hint(string typed, IEnumerable<string> known) =>
        Of(typed, known) is { } nearest ? $", did you mean {nearest}?" : "";

    public static string? Of(string typed, IEnumerable<string> known)
    {
        var nearest = known
            .Select(name => (Name: name, Distance: Distance(typed.ToLowerInvariant(), name.ToLowerInvariant())))
            .MinBy(candidate => candidate.Distance);

        // A third of the letters wrong is a typing error; more is another word.
        return nearest.Name is not null && nearest.Distance <= Math.Max(1, nearest.Name.Length / 3) ? nearest.Name : null;
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
