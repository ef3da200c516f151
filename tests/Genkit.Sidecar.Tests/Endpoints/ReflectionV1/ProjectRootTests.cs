using Genkit.Sidecar.Endpoints.ReflectionV1;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV1;

public sealed class ProjectRootTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("genkit-sidecar-root-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("package.json")]
    [InlineData("go.mod")]
    [InlineData("pyproject.toml")]
    [InlineData("requirements.txt")]
    [InlineData("pom.xml")]
    [InlineData("build.gradle")]
    [InlineData("build.gradle.kts")]
    [InlineData("pubspec.yaml")]
    public void Find_MarkerAbove_IsTheNearestOfThem(string marker)
    {
        var project = Directory.CreateDirectory(Path.Combine(_folder, "outer", "project")).FullName;
        var start = Directory.CreateDirectory(Path.Combine(project, "src", "app")).FullName;
        File.WriteAllText(Path.Combine(_folder, "outer", "package.json"), "{}");
        File.WriteAllText(Path.Combine(project, marker), "");

        Assert.Equal(project, ProjectRoot.Find(start));
        Assert.Equal(project, ProjectRoot.Find(project));
    }

    [Fact]
    public void Find_NoMarker_IsTheStart()
    {
        var start = Directory.CreateDirectory(Path.Combine(_folder, "src")).FullName;

        Assert.Equal(start, ProjectRoot.Find(start));
        Assert.Equal("/", ProjectRoot.Find("/"));
    }
}
