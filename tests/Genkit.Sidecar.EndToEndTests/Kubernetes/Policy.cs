using System.Text.Json.Nodes;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>A policy for every overlay. <paramref name="Violations"/> lists what violates it.</summary>
internal sealed record Policy(string Name, Func<Overlay, IEnumerable<string>> Violations)
{
    /// <summary>Creates a policy for each container of each pod.</summary>
    public static Policy OfContainers(string name, Func<JsonObject, JsonObject, bool> holds) => OfPods(
        name, (_, pod) => Overlay.ContainersOf(pod).Where(container => !holds(pod, container)).Select(container => (string)container["name"]!));

    /// <summary>Creates a policy for each workload and its pod.</summary>
    public static Policy OfPods(string name, Func<JsonObject, JsonObject, IEnumerable<string>> violations) => new(
        name,
        overlay => overlay.Workloads.SelectMany(workload =>
            violations(workload, Overlay.PodSpecOf(workload)!).Select(what => $"{workload["metadata"]!["name"]}: {what}")));
}
