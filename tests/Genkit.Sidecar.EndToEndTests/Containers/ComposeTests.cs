using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>`docker compose up` with the repository's own file.</summary>
[Collection(ContainerTests.Name)]
public sealed class ComposeTests(OwnProject project) : IClassFixture<OwnProject>
{
    [Fact]
    public Task RunAction_PlainFlow_ReturnsTheResult() => project.AssertGreetsAsync();

    [Fact]
    public async Task StreamAction_StreamingFlow_WritesTheChunksAndThenTheResult()
    {
        using var stream = await project.Tools.StreamActionAsync("""{"key": "/flow/countdown", "input": {"from": 2}}""");

        JsonAssert.Equal("""{"count": 2}""", await stream.NextAsync());
        JsonAssert.Equal("""{"count": 1}""", await stream.NextAsync());
        JsonAssert.Equal("\"Liftoff!\"", (await stream.NextAsync()).GetProperty("result"));
        await stream.EndAsync();
    }

    [Theory]
    [InlineData("genkit")]
    [InlineData("sidecar")]
    public async Task Service_Restarted_ServesAgain(string service)
    {
        await project.ComposeAsync("restart", service);

        await project.HealthAsync("genkit", "healthy");
        await project.Tools.RegisteredAsync();
        await project.AssertGreetsAsync();
    }

    [Fact]
    public async Task Application_AnswersNoLonger_ShowsInTheSidecarsHealth()
    {
        await project.ComposeAsync("pause", "app");
        await project.HealthAsync("sidecar", "unhealthy");

        await project.ComposeAsync("unpause", "app");

        await project.HealthAsync("sidecar", "healthy");
        await project.AssertGreetsAsync();
    }

    [Fact]
    public async Task Application_Replaced_IsFoundAgain()
    {
        await project.ComposeAsync("up", "--detach", "--no-deps", "--force-recreate", "app");

        await project.ReadyAsync();
        await project.AssertGreetsAsync();
    }

    // The exit code is 0 only if no step failed.
    [Fact]
    public async Task Doctor_BesideTheSidecar_FindsNothingWrong() =>
        Assert.Contains("ok       run:", await project.ComposeAsync("exec", "-T", "sidecar", "genkit-sidecar", "doctor"), StringComparison.Ordinal);

    [Theory]
    [InlineData("pod")]
    [InlineData("genkit")]
    [InlineData("sidecar")]
    [InlineData("app")]
    public async Task Container_Always_IsConfined(string service)
    {
        Assert.Matches("^[1-9][0-9]*$", await project.InspectAsync(service, "{{.Config.User}}"));
        Assert.Equal(
            "true [ALL] [no-new-privileges:true]",
            await project.InspectAsync(service, "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}"));
    }

    [Fact]
    public async Task Ports_Always_AreForThisMachineOnly()
    {
        foreach (var service in (string[])["pod", "genkit", "sidecar", "app"])
        {
            var addresses = await project.InspectAsync(service, "{{range .HostConfig.PortBindings}}{{range .}}{{.HostIp}} {{end}}{{end}}");

            Assert.Equal(service == "pod" ? "127.0.0.1" : "", addresses.Trim());
        }
    }
}
