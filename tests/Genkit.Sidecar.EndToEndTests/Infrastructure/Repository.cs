namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>The files that the tests run. A missing file fails the test; no test is skipped.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The configuration that these tests were built in, and what was built along with them.</summary>
    public static string Configuration { get; } = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    public static string Sidecar { get; } =
        Environment.GetEnvironmentVariable("GENKIT_SIDECAR_BINARY")
        ?? Path.Combine(Root, "artifacts/genkit-sidecar/genkit-sidecar");

    /// <summary>Returns the full path of a file that the command <paramref name="madeBy"/> creates.</summary>
    public static string Require(string path, string madeBy)
    {
        var full = Path.Combine(Root, path);
        Assert.True(File.Exists(full), $"{full} is missing. Run `{madeBy}` first, or `tests/run`, which does.");
        return full;
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Genkit.Sidecar.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not in the repository.");
    }
}
