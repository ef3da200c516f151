using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Containers;

/// <summary>A Compose file, started as a separate project. Disposing asserts that none of its containers, networks and volumes remain.</summary>
/// <param name="engine">The engine that runs the containers.</param>
/// <param name="file">The file, relative to the repository or absolute.</param>
public abstract class ComposeProject(ContainerEngine engine, string file) : IAsyncLifetime
{
    private readonly string _name = $"genkit-sidecar-e2e-{Guid.NewGuid():n}";

    private IEnumerable<string> Prefix => ["--file", file, "--project-name", _name];

    /// <summary>The Tools API of the CLI in the container.</summary>
    internal ToolsApi Tools { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        await ComposeAsync("up", "--detach");
        Tools = new ToolsApi(new Uri($"http://{await ComposeAsync("port", "pod", "4000")}"));
        await HealthAsync("sidecar", "healthy");
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Tools?.Dispose();
        var (_, _, log) = await engine.TryAsync(["docker", "logs", await ComposeAsync("ps", "--quiet", "sidecar")]);
        await ComposeAsync("down", "--volumes");

        SidecarLog.AssertHasNoErrors(log.Split('\n'));
        string[] ofTheProject = ["--quiet", "--filter", $"label=com.docker.compose.project={_name}"];
        Assert.Empty(await engine.DockerAsync(["ps", "--all", .. ofTheProject]));
        Assert.Empty(await engine.DockerAsync(["network", "ls", .. ofTheProject]));
        Assert.Empty(await engine.DockerAsync(["volume", "ls", .. ofTheProject]));
    }

    /// <summary>Runs `docker compose arguments` and returns what it printed.</summary>
    internal Task<string> ComposeAsync(params IEnumerable<string> arguments) =>
        engine.ComposeAsync([.. Prefix, .. arguments]);

    /// <summary>Asserts that a flow runs from the Tools API to the application and back.</summary>
    internal async Task AssertGreetsAsync()
    {
        var (_, answer) = await Tools.RunActionAsync("""{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        JsonAssert.Equal("""{"greeting": "Hello, Ada!"}""", answer.GetProperty("result"));
    }

    /// <summary>Asks `docker inspect` about the container of a service.</summary>
    internal async Task<string> InspectAsync(string service, string format) =>
        await engine.DockerAsync("inspect", "--format", format, await ComposeAsync("ps", "--quiet", service));

    /// <summary>Waits until the health check of a service reports `healthy` or `unhealthy`.</summary>
    internal Task HealthAsync(string service, string expected) =>
        UntilAsync($"{service} is {expected}", async () => await InspectAsync(service, "{{.State.Health.Status}}") == expected);

    /// <summary>Waits until the sidecar is ready: connected to the current manager and application.</summary>
    internal Task ReadyAsync() => UntilAsync("the sidecar is ready", async () =>
    {
        var (exitCode, _, _) = await engine.TryComposeAsync([.. Prefix, "exec", "-T", "sidecar", "genkit-sidecar", "health"]);
        return exitCode == 0;
    });

    private async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Timeouts.Default);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        try
        {
            while (!await holds())
            {
                await poll.WaitForNextTickAsync(timeout.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Not within {Timeouts.Default}: {what}.\n{await ComposeAsync("ps")}\n{await ComposeAsync("logs", "--no-color")}");
        }
    }
}
