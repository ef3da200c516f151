namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>The README's lines for a user's own Compose file.</summary>
[Collection(ContainerTests.Name)]
public sealed class RecipeTests(RecipeProject project) : IClassFixture<RecipeProject>
{
    [Fact]
    public Task RunAction_PlainFlow_ReturnsTheResult() => project.AssertGreetsAsync();
}
