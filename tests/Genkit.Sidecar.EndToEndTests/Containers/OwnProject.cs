namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>The repository's docker-compose.yml.</summary>
public sealed class OwnProject(ContainerEngine engine) : ComposeProject(engine, "docker-compose.yml");
