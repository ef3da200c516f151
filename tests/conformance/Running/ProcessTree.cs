using System.Diagnostics;
using System.Globalization;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>
/// Finds the descendants of a process, because a shell or <c>npm start</c> may leave its program running when it is ended. Works on Linux only; elsewhere there are none.
/// </summary>
internal static class ProcessTree
{
    /// <summary>The ids of the processes that this one has started, and those in turn, as far as they still run.</summary>
    public static IReadOnlyList<int> Descendants(Process ancestor)
    {
        var descendants = new List<int>();
        if (OperatingSystem.IsLinux())
        {
            Add(ancestor.Id, Processes().ToLookup(process => process.Parent, process => process.Id), descendants);
        }

        return descendants;
    }

    private static void Add(int parent, ILookup<int, int> children, List<int> descendants)
    {
        foreach (var child in children[parent])
        {
            descendants.Add(child);
            Add(child, children, descendants);
        }
    }

    private static IEnumerable<(int Id, int Parent)> Processes()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && ParentOf(folder) is { } parent)
            {
                yield return (id, parent);
            }
        }
    }

    private static int? ParentOf(string folder)
    {
        try
        {
            // "pid (name) state parent …", and the name may contain anything.
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 3)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
