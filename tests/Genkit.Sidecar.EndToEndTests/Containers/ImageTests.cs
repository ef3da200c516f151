using System.Globalization;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>The image that deploy/Dockerfile builds.</summary>
[Collection(ContainerTests.Name)]
public sealed class ImageTests(ContainerEngine engine)
{
    private const string Image = "genkit-sidecar";

    [Fact]
    public async Task Image_Always_HoldsOneProgramAndNoShell()
    {
        var container = await engine.DockerAsync("create", Image);
        try
        {
            var (_, files, _) = await engine.TryAsync(["sh", "-c", $"docker export {container} | tar --list"]);

            Assert.Equal(
                ["usr/bin/genkit-sidecar"],
                files.Split('\n').Where(file => file.Contains("bin/", StringComparison.Ordinal) && !file.EndsWith('/')));
        }
        finally
        {
            await engine.DockerAsync("rm", container);
        }
    }

    [Fact]
    public async Task Image_Always_RunsAsAUserThatIsANumberAndNotRoot()
    {
        Assert.Matches("^[1-9][0-9]*$", await engine.DockerAsync("image", "inspect", "--format", "{{.Config.User}}", Image));
    }

    [Fact]
    public async Task Image_Always_IsBelow35Megabytes()
    {
        var size = long.Parse(
            await engine.DockerAsync("image", "inspect", "--format", "{{.Size}}", Image), CultureInfo.InvariantCulture);

        TestContext.Current.TestOutputHelper?.WriteLine($"{Image}: {size:N0} bytes");
        Assert.InRange(size, 1, 35_000_000);
    }

    [Fact]
    public Task Container_ReadOnlyAndWithoutCapabilities_RunsAndStopsWithZero() => RunAndStopAsync(
        log => log.EventAsync("ManagerConnectFailed"),
        "--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", Image);

    [Fact]
    public async Task Doctor_ManagerOnTheHostsLoopback_SaysThatAContainerHasItsOwn()
    {
        var (exitCode, report, _) = await engine.TryAsync(
            ["docker", "run", "--rm", "--network", "none", "--env", "GENKIT_REFLECTION_V2_SERVER=ws://localhost:3200", Image, "doctor"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("a container", report, StringComparison.Ordinal);
        Assert.Contains("network_mode: host", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Binary_InAnApplicationsOwnImage_StartsAndStopsTheApplication()
    {
        const string OwnImage = "genkit-sidecar-own-image";
        await engine.DockerAsync("build", "--quiet", "--tag", OwnImage, "tests/containers/own-image");
        try
        {
            await RunAndStopAsync(
                log => log.Output.FirstAsync(
                    line => line.Contains("hello-python listens on", StringComparison.Ordinal), "the application's address"),
                OwnImage);
        }
        finally
        {
            await engine.DockerAsync("rmi", OwnImage);
        }
    }

    private async Task RunAndStopAsync(Func<RunningProcess, Task> started, params IEnumerable<string> options)
    {
        // `docker stop` kills a container that does not exit in time, which gives the exit code 137.
        var container = await engine.DockerAsync(["run", "--detach", "--env", "GENKIT_REFLECTION_V2_SERVER=ws://127.0.0.1:9", "--env", "GENKIT_SIDECAR_LOG_FORMAT=json", .. options]);
        await using var log = engine.Start(["docker", "logs", "--follow", container]);
        try
        {
            await started(log);

            await engine.DockerAsync("stop", container);

            Assert.Equal("0", await engine.DockerAsync("inspect", "--format", "{{.State.ExitCode}}", container));
        }
        finally
        {
            await engine.DockerAsync("rm", "--force", container);
        }
    }
}
