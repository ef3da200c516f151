using System.Text.Json.Nodes;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>A rule that every overlay keeps; <paramref name="Violations"/> names what breaks it.</summary>
internal sealed record Policy(string Name, Func<Overlay, IEnumerable<string>> Violations)
{
    /// <summary>Makes a rule about each container of each pod.</summary>
    public static Policy OfContainers(string name, Func<JsonObject, JsonObject, bool> holds) => OfPods(
        name, (_, pod) => Overlay.ContainersOf(pod).Where(container => !holds(pod, container)).Select(container => (string)container["name"]!));

    /// <summary>Makes a rule about each workload and its pod.</summary>
    public static Policy OfPods(string name, Func<JsonObject, JsonObject, IEnumerable<string>> violations) => new(
        name,
        overlay => overlay.Workloads.SelectMany(workload =>
            violations(workload, Overlay.PodSpecOf(workload)!).Select(what => $"{workload["metadata"]!["name"]}: {what}")));
}
