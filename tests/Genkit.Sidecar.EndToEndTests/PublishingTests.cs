using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests;

/// <summary>`dotnet publish sidecar -r RID` with a separate folder of artifacts.</summary>
public sealed class PublishingTests : EndToEndTest
{
    /// <summary>The trimmer and the native compiler take a minute each on two cores, which they share with other tests.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(8);

    private string Output => Path.Combine(Workspace.Folder, "publish");

    [Theory, Trait("Tier", "All")]
    [InlineData("linux-x64", "genkit-sidecar", 22_000_000)]
    [InlineData("linux-arm64", "genkit-sidecar", 22_000_000)]
    [InlineData("linux-musl-x64", "genkit-sidecar", 45_000_000)]
    [InlineData("osx-arm64", "genkit-sidecar", 45_000_000)]
    [InlineData("osx-x64", "genkit-sidecar", 45_000_000)]
    [InlineData("win-x64", "genkit-sidecar.exe", 45_000_000)]
    public async Task Publish_ForAPlatform_WritesOneFileWithoutAWarning(string runtimeIdentifier, string name, int largest)
    {
        var (exitCode, printed) = await PublishAsync(Environment.GetEnvironmentVariable("PATH")!, "-r", runtimeIdentifier);

        Assert.True(exitCode == 0, printed);
        Assert.DoesNotContain("warning", printed, StringComparison.OrdinalIgnoreCase);
        var file = Assert.Single(new DirectoryInfo(Output).GetFiles());
        Assert.Equal(name, file.Name);
        TestContext.Current.TestOutputHelper?.WriteLine($"{runtimeIdentifier}: {file.Length:N0} bytes");
        Assert.InRange(file.Length, 1, largest);
    }

    [Theory]
    [InlineData("linux-x64", "gcc libc6-dev")]
    [InlineData("linux-arm64", "clang gcc-aarch64-linux-gnu libc6-dev-arm64-cross")]
    public async Task Publish_WithoutAToolchain_SaysWhatToInstallAndHowToDoWithout(string runtimeIdentifier, string packages)
    {
        // MSBuild runs commands with sh.
        var path = Directory.CreateDirectory(Path.Combine(Workspace.Folder, "path")).FullName;
        File.CreateSymbolicLink(Path.Combine(path, "sh"), "/bin/sh");

        var (exitCode, printed) = await PublishAsync(path, "-r", runtimeIdentifier);

        Assert.NotEqual(0, exitCode);
        Assert.Contains($"Native AOT for {runtimeIdentifier} needs a C compiler", printed, StringComparison.Ordinal);
        Assert.Contains($"apt-get install {packages}.", printed, StringComparison.Ordinal);
        Assert.Contains("-p:PublishAot=false", printed, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Printed)> PublishAsync(string path, params IEnumerable<string> options)
    {
        var publish = Workspace.Start(
            [
                DotNet(), "publish", Path.Combine(Repository.Root, "sidecar"), "-c", "Release", "-o", Output, "--nologo",
                "--artifacts-path", Path.Combine(Workspace.Folder, "artifacts"), "--disable-build-servers", "-p:RunAnalyzers=false", .. options,
            ],
            new Dictionary<string, string>
            {
                // The location of NuGet's packages and settings.
                ["HOME"] = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
                ["PATH"] = path,
                ["MSBUILDDISABLENODEREUSE"] = "1",
            });
        var exitCode = await publish.ExitAsync(s_timeout);
        return (exitCode, $"{publish.Output}{publish.Errors}");
    }

    // Uses the full path, because the tests of a missing toolchain clear PATH.
    private static string DotNet() =>
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "dotnet")).First(File.Exists);
}
