namespace Genkit.Sidecar.Configuration;

/// <summary>
/// The file of <c>genkit start --write-env-file</c>: <c>NAME=value</c> lines, with the liberties people take when they write
/// such files by hand. Read anew each time, for its writer truncates and rewrites it while others look.
/// </summary>
internal sealed class EnvFile(string path)
{
    public string Path { get; } = path;

    /// <summary>Empty while the file is absent or unreadable; a line that is none yet is left out.</summary>
    public IReadOnlyDictionary<string, string> TryRead()
    {
        try
        {
            // Share everything: the sidecar must never be why the CLI cannot write.
            using var stream = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            return Parse(reader.ReadToEnd());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Dictionary<string, string>();
        }
    }

    /// <summary>A message why the file does not have <paramref name="name"/>.</summary>
    public string WhyWithout(string name)
    {
        if (Directory.Exists(Path))
        {
            // What a container engine makes of a file that is not there when it mounts it.
            return $"{Path} is a directory: it has to be a file before it is mounted";
        }

        try
        {
            using var stream = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (UnauthorizedAccessException)
        {
            return $"{Path} cannot be read: this user has no permission to";
        }
        catch (IOException)
        {
            // Not there yet, as far as anybody can tell.
        }

        return $"{Path} does not have {name} yet";
    }

    internal static IReadOnlyDictionary<string, string> Parse(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var rawLine in text.Split('\n'))
        {
            var line = rawLine.Trim();
            if (line.StartsWith("export ", StringComparison.Ordinal) || line.StartsWith("export\t", StringComparison.Ordinal))
            {
                line = line["export ".Length..].TrimStart();
            }

            var equals = line.IndexOf('=');
            if (line.StartsWith('#') || equals < 1)
            {
                continue;
            }

            var name = line[..equals].TrimEnd();
            if (!name.Any(char.IsWhiteSpace) && Value(line[(equals + 1)..].TrimStart()) is { } value)
            {
                values[name] = value;
            }
        }

        return values;
    }

    // Null for a quote that is not closed: half of a line that is being written.
    private static string? Value(string text)
    {
        if (text is ['"' or '\'' or '`', ..])
        {
            var close = text.IndexOf(text[0], 1);
            return close < 0 ? null : text[1..close];
        }

        var comment = text.IndexOf('#');
        while (comment > 0 && !char.IsWhiteSpace(text[comment - 1]))
        {
            comment = text.IndexOf('#', comment + 1);
        }

        return comment < 0 ? text : text[..comment].TrimEnd();
    }
}
