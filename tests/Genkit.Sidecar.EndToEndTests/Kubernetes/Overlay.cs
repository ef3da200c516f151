using System.Text.Json.Nodes;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>The output of `kubectl kustomize` for a folder of deploy/kubernetes, and its violations of the Kubernetes API's types.</summary>
internal sealed record Overlay(IReadOnlyList<JsonObject> Objects, IReadOnlyList<string> Problems)
{
    private const string Folder = "deploy/kubernetes";

    /// <summary>The folders that users apply, as data of theories.</summary>
    public static TheoryData<string> All { get; } =
        ["base", .. Directory.EnumerateDirectories(Path.Combine(Repository.Root, Folder, "overlays")).Select(OverlayName).Order()];

    public IEnumerable<JsonObject> Workloads => Objects.Where(o => PodSpecOf(o) is not null);

    public JsonObject Workload => Workloads.First();

    public static async Task<Overlay> RenderAsync(Workspace workspace, string name)
    {
        var kubectl = workspace.Start(["kubectl", "kustomize", Path.Combine(Repository.Root, Folder, name)]);
        Assert.True(await kubectl.ExitAsync() == 0, kubectl.Transcript);
        return await ParseAsync(workspace, string.Join('\n', kubectl.Output.Snapshot()));
    }

    public static async Task<Overlay> ParseAsync(Workspace workspace, string yaml)
    {
        Repository.Require("tests/kubernetes/node_modules/typescript/package.json", "tests/e2e/setup kubernetes");
        var node = workspace.Start(["node", Path.Combine(Repository.Root, "tests/kubernetes/manifests.cjs")]);
        await node.WriteLineAsync(yaml);
        node.CloseInput();
        Assert.True(await node.ExitAsync() == 0, node.Transcript);
        var result = JsonNode.Parse(node.Output.Snapshot().Single())!;
        return new Overlay(
            [.. result["documents"]!.AsArray().Select(document => document!.AsObject())],
            [.. result["problems"]!.AsArray().Select(problem => (string)problem!)]);
    }

    /// <summary>Returns the pod that a workload creates, or null if it creates none.</summary>
    public static JsonObject? PodSpecOf(JsonObject o) => o["spec"]?["template"]?["spec"]?.AsObject();

    /// <summary>Returns the containers of a pod in the order in which they start.</summary>
    public static IEnumerable<JsonObject> ContainersOf(JsonObject pod) =>
        Items(pod["initContainers"]).Concat(Items(pod["containers"]));

    public static IEnumerable<JsonObject> Items(JsonNode? list) => list?.AsArray().Select(item => item!.AsObject()) ?? [];

    private static string OverlayName(string folder) => $"overlays/{Path.GetFileName(folder)}";
}
