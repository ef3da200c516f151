namespace Genkit.Sidecar.Endpoints.ReflectionV1;

/// <summary>The folder in which the Genkit CLI looks for runtime files, found as the CLI finds it.</summary>
internal static class ProjectRoot
{
    /// <summary>What marks a project, in the languages that the CLI knows.</summary>
    private static readonly string[] s_markers =
        ["package.json", "go.mod", "pyproject.toml", "requirements.txt", "pom.xml", "build.gradle", "build.gradle.kts", "pubspec.yaml"];

    /// <summary>Gives the root that the working directory is in; if that has been removed, a path at which there is no folder.</summary>
    public static string OfWorkingDirectory()
    {
        try
        {
            return Find(Environment.CurrentDirectory);
        }
        catch (FileNotFoundException)
        {
            return ".";
        }
    }

    /// <summary>Gives the nearest folder with a marker from <paramref name="start"/> upwards, without the file system's own root, else <paramref name="start"/>.</summary>
    public static string Find(string start)
    {
        for (var folder = new DirectoryInfo(start); folder.Parent is not null; folder = folder.Parent)
        {
            if (s_markers.Any(marker => Path.Exists(Path.Combine(folder.FullName, marker))))
            {
                return folder.FullName;
            }
        }

        return start;
    }
}
