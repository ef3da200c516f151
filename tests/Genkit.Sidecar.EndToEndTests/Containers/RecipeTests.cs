namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>The lines of docs/compose.md for another Compose file.</summary>
[Collection(ContainerTests.Name)]
public sealed class RecipeTests(RecipeProject project) : IClassFixture<RecipeProject>
{
    [Fact]
    public Task RunAction_PlainFlow_ReturnsTheResult() => project.AssertGreetsAsync();
}
