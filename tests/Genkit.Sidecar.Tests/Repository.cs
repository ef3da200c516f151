namespace Genkit.Sidecar.Tests;

internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string directory) => File.Exists(Path.Combine(directory, "Genkit.Sidecar.sln"))
        ? directory
        : Find(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(directory)) ?? throw new InvalidOperationException("The tests run outside of the repository."));
}
