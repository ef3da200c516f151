using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>An application's own Compose file, with the lines of docs/compose.md.</summary>
public sealed class RecipeProject : ComposeProject
{
    private readonly DirectoryInfo _folder;

    public RecipeProject(ContainerEngine engine)
        : this(engine, Directory.CreateTempSubdirectory("genkit-sidecar-recipe-"))
    {
    }

    private RecipeProject(ContainerEngine engine, DirectoryInfo folder)
        : base(engine, Path.Combine(folder.FullName, "docker-compose.yml")) => _folder = folder;

    public override async ValueTask InitializeAsync()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/compose.md"), TestContext.Current.CancellationToken);
        var from = page.IndexOf("  pod:", StringComparison.Ordinal);
        var recipe = page[from..page.IndexOf("```", from, StringComparison.Ordinal)];
        Assert.True(recipe.Count(character => character == '\n') <= 12, "The recipe has more than twelve lines.");

        // Any free port, because a CLI may already use the default.
        const string Port = "127.0.0.1:4000:4000";
        Assert.Contains(Port, recipe, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            Path.Combine(_folder.FullName, "docker-compose.yml"),
            $"services:\n  app: {{image: genkit-hello-python}}\n{recipe.Replace(Port, "127.0.0.1:0:4000", StringComparison.Ordinal)}",
            TestContext.Current.CancellationToken);
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
