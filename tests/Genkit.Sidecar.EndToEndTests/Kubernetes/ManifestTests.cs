using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>Checks the manifests of deploy/kubernetes against the Kubernetes API's types, this project's policies, and the binary.</summary>
public sealed class ManifestTests(RenderedOverlays overlays) : EndToEndTest, IClassFixture<RenderedOverlays>
{
    public static TheoryData<string> PolicyNames { get; } = [.. Policies.All.Select(policy => policy.Name)];

    [Theory, MemberData(nameof(Overlay.All), MemberType = typeof(Overlay))]
    public void Overlay_Rendered_IsWhatTheApiKnows(string name)
    {
        Assert.NotEmpty(overlays[name].Objects);
        Assert.Empty(overlays[name].Problems);
    }

    [Theory, MemberData(nameof(Overlay.All), MemberType = typeof(Overlay))]
    public void Overlay_Rendered_KeepsEveryPolicy(string name) => Assert.Empty(
        Policies.All.SelectMany(policy => policy.Violations(overlays[name]).Select(violation => $"{policy.Name}: {violation}")));

    [Theory, MemberData(nameof(PolicyNames))]
    public void Overlay_Broken_ViolatesThePolicy(string policyName)
    {
        var policy = Policies.All.Single(policy => policy.Name == policyName);
        var (name, breakIt) = Breakages.Of[policyName];
        var overlay = overlays[name];

        breakIt(overlay);

        Assert.NotEmpty(policy.Violations(overlay));
    }

    [Theory]
    [InlineData("unknown field", "{metadata: {name: x}, spec: {type: ClusterIP, portz: []}}", "portz")]
    [InlineData("wrong type", "{metadata: {name: x}, spec: {ports: [{port: eighty}]}}", "not assignable")]
    [InlineData("missing field", "{metadata: {name: x}, spec: {ports: [{name: http}]}}", "missing")]
    public async Task Manifest_ThatTheApiDoesNotKnow_IsRefused(string what, string service, string reason)
    {
        var overlay = await Overlay.ParseAsync(Workspace, "{apiVersion: v1, kind: Service, " + service[1..]);

        Assert.True(overlay.Problems.Any(problem => problem.Contains(reason, StringComparison.Ordinal)), $"{what}: {string.Join('\n', overlay.Problems)}");
    }

    [Fact]
    public async Task Manifest_OfNoKind_IsRefused()
    {
        var overlay = await Overlay.ParseAsync(Workspace, "{apiVersion: apps/v2, kind: Deployment, metadata: {name: x}}");

        Assert.Equal(["Deployment: apps/v2 has no such kind"], overlay.Problems);
    }

    [Fact]
    public async Task Component_OfOnesOwnManifests_AddsTheSidecarToWhatAsksForIt()
    {
        var component = Path.GetRelativePath(Workspace.Folder, Path.Combine(Repository.Root, "deploy/kubernetes/components/sidecar"));
        await WriteAsync("kustomization.yaml", $$"""
            resources: [mine.yaml]
            components: [{{component}}]
            images: [{name: genkit-sidecar, newName: registry.example/genkit-sidecar, newTag: 0.1.0}]
            """);
        await WriteAsync("mine.yaml", """
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: {name: mine, labels: {genkit-sidecar/inject: "true"}}
            spec:
              serviceName: mine
              selector: {matchLabels: {app.kubernetes.io/name: mine}}
              template:
                metadata: {labels: {app.kubernetes.io/name: mine}}
                spec:
                  containers:
                    - name: server
                      image: mine:1
                      env: [{name: GENKIT_SIDECAR_LISTEN, value: "unix:/run/genkit-sidecar/app.sock"}]
                      volumeMounts: [{name: genkit-sidecar, mountPath: /run/genkit-sidecar}]
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: other}
            spec:
              selector: {matchLabels: {app.kubernetes.io/name: other}}
              template:
                metadata: {labels: {app.kubernetes.io/name: other}}
                spec: {containers: [{name: server, image: "other:1"}]}
            """);

        var overlay = await Overlay.RenderAsync(Workspace, Workspace.Folder);

        Assert.Empty(overlay.Problems);
        var mine = overlay with
        {
            Objects = [Assert.Single(overlay.Workloads, workload => Policies.Sidecars(Overlay.PodSpecOf(workload)!).Any())],
        };
        Assert.Equal("mine", (string?)mine.Workload["metadata"]!["name"]);
        Assert.Equal("registry.example/genkit-sidecar:0.1.0", (string?)Policies.Sidecars(Overlay.PodSpecOf(mine.Workload)!).Single()["image"]);
        Assert.Empty(Policies.All.Where(policy => policy.Name.Contains("sidecar", StringComparison.Ordinal))
            .SelectMany(policy => policy.Violations(mine)));
    }

    [Theory, MemberData(nameof(Overlay.All), MemberType = typeof(Overlay))]
    public async Task Overlay_Rendered_SetsWhatTheBinaryReads(string name)
    {
        var help = Workspace.Start([Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), "help", "settings"]);
        await help.ExitAsync();

        // The last one is a variable of the application. The CLI's variables are Genkit's own.
        var known = help.Output.Snapshot().SelectMany(line => line.Split([' ', ';', '`', ','])).Append("GENKIT_SIDECAR_LISTEN").ToHashSet();
        var variables = overlays[name].Workloads.Select(workload => Overlay.PodSpecOf(workload)!).SelectMany(Overlay.ContainersOf)
            .Where(container => (string)container["name"]! != "genkit-cli")
            .SelectMany(container => Overlay.Items(container["env"])).Select(variable => (string)variable["name"]!);
        Assert.Empty(variables.Except(known));
    }

    [Theory, MemberData(nameof(Overlay.All), MemberType = typeof(Overlay))]
    public async Task Overlay_Rendered_RunsVerbsOfTheBinary(string name)
    {
        var sidecars = overlays[name].Workloads.SelectMany(workload => Policies.Sidecars(Overlay.PodSpecOf(workload)!)).ToList();
        var commands = sidecars.Select(sidecar => Policies.Strings(sidecar["args"]))
            .Concat(sidecars.SelectMany(Policies.ProbeCommands).Select(command => (IReadOnlyList<string>)[.. command.Skip(1)]));
        foreach (var command in commands)
        {
            // One wrong setting prevents the start, and the error lists all other mistakes of the command line too.
            var process = Workspace.Start([Repository.Sidecar, .. command], new Dictionary<string, string>
            {
                ["GENKIT_REFLECTION_V2_SERVER"] = "ws://127.0.0.1:9",
                ["GENKIT_SIDECAR_LOG_LEVEL"] = "nonsense",
            });

            Assert.Equal(64, await process.ExitAsync());
            var problem = Assert.Single(process.Errors.Snapshot(), line => line.StartsWith("  ", StringComparison.Ordinal));
            Assert.Contains("GENKIT_SIDECAR_LOG_LEVEL", problem, StringComparison.Ordinal);
        }
    }

    private Task WriteAsync(string file, string text) =>
        File.WriteAllTextAsync(Path.Combine(Workspace.Folder, file), text, TestContext.Current.CancellationToken);
}
