using System.Text.Json;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>The pods of the manifests, run in namespaces with their own users.</summary>
public sealed class PodTests : EndToEndTest
{
    [Fact]
    public async Task OnePod_StartedAndStoppedInKubernetesOrder_ServesTheDevUi()
    {
        var pod = await StartAsync("overlays/one-pod");
        var sidecar = pod.Start("genkit-sidecar");

        // The kubelet starts the application's container only after this.
        await pod.PassesAsync("genkit-sidecar", "startupProbe");
        Assert.False(await pod.ProbeAsync("genkit-sidecar", "readinessProbe"));
        var cli = pod.Start("genkit-cli");
        var application = pod.Start("hello");
        await pod.PassesAsync("genkit-cli", "startupProbe");
        await pod.PassesAsync("genkit-sidecar", "readinessProbe");
        await AssertGreetsAsync(pod);

        // The application finds the socket file of its predecessor.
        Signal.Kill.Send(application.Id);
        await application.ExitAsync();
        Assert.True(await pod.ProbeAsync("genkit-sidecar", "livenessProbe"));
        application = pod.Start("hello");
        await ListensAsync(application);
        await pod.PassesAsync("genkit-sidecar", "readinessProbe");
        await AssertGreetsAsync(pod);

        // The sidecar keeps its runtime id, so the manager replaces its earlier registration.
        Signal.Kill.Send(sidecar.Id);
        await sidecar.ExitAsync();
        sidecar = pod.Start("genkit-sidecar");
        await pod.PassesAsync("genkit-sidecar", "readinessProbe");
        await AssertGreetsAsync(pod);

        Signal.Terminate.Send(application.Id);
        Signal.Interrupt.Send(cli.Id); // its image's STOPSIGNAL
        Assert.Equal(0, await application.ExitAsync());
        await cli.ExitAsync();
        Assert.True(await pod.ProbeAsync("genkit-sidecar", "livenessProbe"));
        Signal.Terminate.Send(sidecar.Id);
        Assert.Equal(0, await sidecar.ExitAsync());
        AssertLoggedNoErrors(sidecar);
    }

    [Fact]
    public async Task Job_BatchEnds_CompletesThoughTheSidecarRuns()
    {
        var pod = await StartAsync("overlays/job");
        var sidecar = pod.Start("genkit-sidecar");
        await pod.PassesAsync("genkit-sidecar", "startupProbe");

        var batch = pod.Start("batch");
        await ListensAsync(batch);
        Signal.Terminate.Send(batch.Id); // what its time limit does, in less time
        Assert.Equal(0, await batch.ExitAsync());

        Signal.Terminate.Send(sidecar.Id);
        Assert.Equal(0, await sidecar.ExitAsync());
        AssertLoggedNoErrors(sidecar);
    }

    [Fact]
    public async Task DevTools_Started_TakesThePortOfItsService()
    {
        var overlay = await Overlay.RenderAsync(Workspace, "overlays/dev-tools");
        var pod = await Pod.StartAsync(Workspace, overlay.Workloads.Single(o => (string)o["metadata"]!["name"]! == "genkit-dev-tools"));

        var cli = pod.Start("genkit-cli");

        await pod.PassesAsync("genkit-cli", "startupProbe");
        Assert.True(await pod.ProbeAsync("genkit-cli", "livenessProbe"));
        Assert.Equal(0, (await pod.GetAsync(4000, "/")).Status); // the Dev UI is reachable only by port-forward
        Signal.Interrupt.Send(cli.Id);
        await cli.ExitAsync();
    }

    [Fact]
    public async Task Metrics_AskedFromOutsideThePod_NeedTheTokenAndProbesDoNot()
    {
        var pod = await StartAsync("overlays/metrics");
        pod.Secrets[("genkit-sidecar-metrics", "token")] = "s3cret";
        var sidecar = pod.Start("genkit-sidecar");

        await pod.PassesAsync("genkit-sidecar", "startupProbe");

        Assert.True(await pod.ProbeAsync("genkit-sidecar", "livenessProbe"));
        Assert.Equal(401, (await pod.GetAsync(9466, "/metrics")).Status);
        var (status, metrics) = await pod.GetAsync(9466, "/metrics", "Bearer s3cret");
        Assert.Equal(200, status);
        Assert.NotEmpty(metrics);
        Signal.Terminate.Send(sidecar.Id);
        Assert.Equal(0, await sidecar.ExitAsync());
        AssertLoggedNoErrors(sidecar);
    }

    private async Task<Pod> StartAsync(string overlay) =>
        await Pod.StartAsync(Workspace, (await Overlay.RenderAsync(Workspace, overlay)).Workload);

    private static Task<string> ListensAsync(RunningProcess application) =>
        application.Output.FirstAsync(line => line.Contains("listens on", StringComparison.Ordinal), "the application's address");

    private static async Task AssertGreetsAsync(Pod pod)
    {
        var (status, body) = await pod.PostAsync(4000, "/api/runAction", """{"key": "/flow/greet", "input": {"name": "Ada"}}""");

        Assert.Equal(200, status);
        JsonAssert.Equal("""{"greeting": "Hello, Ada!"}""", JsonDocument.Parse(body).RootElement.GetProperty("result"));
    }

    private static void AssertLoggedNoErrors(RunningProcess sidecar) =>
        Assert.DoesNotContain(sidecar.Errors.Snapshot(), line => ParseLogLine(line).IsError);

    // The manifests set the JSON format, so every line of the container has to be in it.
    private static SidecarEvent ParseLogLine(string line) =>
        SidecarEvent.Parse(line) ?? throw new FormatException($"The sidecar logged a line that is not JSON: {line}");
}
