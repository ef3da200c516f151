namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>The tests that share one container engine.</summary>
[CollectionDefinition(Name)]
public sealed class ContainerTests : ICollectionFixture<ContainerEngine>
{
    public const string Name = "Containers";
}
