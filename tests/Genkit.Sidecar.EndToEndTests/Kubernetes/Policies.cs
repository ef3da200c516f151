using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static Genkit.Sidecar.EndToEndTests.Kubernetes.Overlay;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>The policies for the manifests: the pod security standard "restricted", and what a sidecar's pod needs to work.</summary>
internal static partial class Policies
{
    private static readonly string[] s_restrictedVolumes =
        ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    private static readonly string[] s_hostNamespaces = ["hostNetwork", "hostPID", "hostIPC"];

    private static readonly string[] s_grants = ["automountServiceAccountToken", "enableServiceLinks"];

    private static readonly string[] s_probes = ["startupProbe", "readinessProbe", "livenessProbe"];

    /// <summary>The pod security standard "restricted", field by field.</summary>
    public static IReadOnlyList<Policy> Restricted { get; } =
    [
        Policy.OfPods("no namespace of the host", (_, pod) => s_hostNamespaces.Where(name => Is(pod[name], true))),
        Policy.OfPods("volumes of restricted types", (_, pod) => Items(pod["volumes"])
            .Where(volume => !volume.Any(member => s_restrictedVolumes.Contains(member.Key))).Select(NameOf)),
        Policy.OfContainers("runs as a user other than root", (pod, container) =>
            Is(Secured(pod, container, "runAsNonRoot"), true) && Secured(pod, container, "runAsUser") is JsonValue user && (int)user > 0),
        Policy.OfContainers("the runtime's seccomp profile", (pod, container) =>
            Is(Secured(pod, container, "seccompProfile")?["type"], "RuntimeDefault")),
        Policy.OfContainers("no privileges to gain", (_, container) =>
            Is(container["securityContext"]?["allowPrivilegeEscalation"], false) && container["securityContext"]!["privileged"] is null),
        Policy.OfContainers("no capabilities", (_, container) =>
            container["securityContext"]?["capabilities"] is JsonObject capabilities && capabilities["add"] is null
            && capabilities["drop"] is JsonArray dropped && dropped.Any(name => Is(name, "ALL"))),
        Policy.OfContainers("no ports of the host", (_, container) =>
            Items(container["ports"]).All(port => port["hostPort"] is null)),
    ];

    /// <summary>Policies beyond the standard.</summary>
    public static IReadOnlyList<Policy> Own { get; } =
    [
        Policy.OfContainers("a file system that is read only", (_, container) =>
            Is(container["securityContext"]?["readOnlyRootFilesystem"], true)),
        Policy.OfPods("no token of the Kubernetes API and no links to Services", (_, pod) =>
            s_grants.Where(name => !Is(pod[name], false))),
        Policy.OfPods("an end to the patience at stopping", (_, pod) =>
            pod["terminationGracePeriodSeconds"] is null ? ["terminationGracePeriodSeconds"] : []),
        Policy.OfContainers("resources asked for, and memory limited", (_, container) =>
            container["resources"] is JsonObject { } resources && resources["requests"]?["cpu"] is not null
            && resources["requests"]!["memory"] is not null && resources["limits"]?["memory"] is not null),
        Policy.OfContainers("an image with a version", (_, container) =>
            VersionedImage().IsMatch((string?)container["image"] ?? "") && !((string)container["image"]!).EndsWith(":latest", StringComparison.Ordinal)),
        Policy.OfContainers("a sidecar that is a native one", (_, container) =>
            !IsSidecar(container) || Is(container["restartPolicy"], "Always")),
        Policy.OfPods("no init container but sidecars, and no sidecar elsewhere", (_, pod) =>
            Items(pod["initContainers"]).Where(container => !IsSidecar(container)).Select(NameOf)
            .Concat(Items(pod["containers"]).Where(IsSidecar).Select(NameOf))),
        Policy.OfContainers("startup and liveness probes of what is ours", (_, container) =>
            !(IsSidecar(container) || NameOf(container) == "genkit-cli")
            || (container["startupProbe"] is not null && container["livenessProbe"] is not null)),
        Policy.OfContainers("a startup probe of the sidecar that does not depend on manager and application", (_, container) =>
            !IsSidecar(container) || Asks(container["startupProbe"], "startup", "/startupz")),
        Policy.OfContainers("a liveness probe of the sidecar that does not depend on manager and application", (_, container) =>
            !IsSidecar(container) || Asks(container["livenessProbe"], "live", "/healthz")),
        Policy.OfContainers("time enough for a probe to give its own reason", (_, container) =>
            Probes(container).All(probe => probe["exec"] is null || (int?)probe["timeoutSeconds"] > 2)),
        Policy.OfContainers("probes of ports that the container names", (_, container) =>
            Probes(container).Select(probe => (probe["httpGet"] ?? probe["tcpSocket"])?["port"]).OfType<JsonValue>()
            .All(port => Items(container["ports"]).Any(named => JsonNode.DeepEquals(named["name"], port)))),
        Policy.OfPods("mounts of volumes that the pod has", (_, pod) => ContainersOf(pod)
            .SelectMany(container => Items(container["volumeMounts"]))
            .Where(mount => !Items(pod["volumes"]).Any(volume => NameOf(volume) == NameOf(mount))).Select(NameOf)),
        Policy.OfPods("volumes that are limited, and mounted", (_, pod) => Items(pod["volumes"])
            .Where(volume => volume["emptyDir"] is JsonObject { } empty && empty["sizeLimit"] is null || !ContainersOf(pod)
                .Any(container => Items(container["volumeMounts"]).Any(mount => NameOf(mount) == NameOf(volume)))).Select(NameOf)),
        Policy.OfPods("a sidecar that dials where the application listens, and may", (_, pod) => Sidecars(pod)
            .Where(sidecar => !Items(pod["containers"]).Any(application =>
                Variable(application, "GENKIT_SIDECAR_LISTEN") is { } listen && listen == Variable(sidecar, "GENKIT_SIDECAR_APP")
                && IsMountedAt(sidecar, listen) && IsMountedAt(application, listen)
                && JsonNode.DeepEquals(Secured(pod, application, "runAsUser"), Secured(pod, sidecar, "runAsUser")))).Select(NameOf)),
        Policy.OfPods("a runtime id for each pod", (_, pod) => Sidecars(pod)
            .Where(sidecar => !Is(FieldOf(sidecar, "GENKIT_RUNTIME_ID"), "metadata.name")).Select(NameOf)),
        Policy.OfPods("a runtime name that its label has", (workload, pod) => Sidecars(pod)
            .Where(sidecar => LabelField().Match((string?)FieldOf(sidecar, "GENKIT_SIDECAR_NAME") ?? "") is not { Success: true } match
                || PodLabels(workload)[match.Groups[1].Value] is null).Select(NameOf)),
        Policy.OfPods("a Job that ends", (workload, pod) => !Is(workload["kind"], "Job") || (Is(pod["restartPolicy"], "Never")
            && workload["spec"]!["backoffLimit"] is not null && workload["spec"]!["ttlSecondsAfterFinished"] is not null) ? [] : ["Job"]),
        Policy.OfPods("a selector that finds its own pods", (workload, _) =>
            workload["spec"]!["selector"]?["matchLabels"] is not JsonObject selector || Selects(selector, PodLabels(workload)) ? [] : ["selector"]),
        new("common labels", overlay => overlay.Objects.Where(o =>
            o["metadata"]!["labels"]?["app.kubernetes.io/name"] is null || o["metadata"]!["labels"]!["app.kubernetes.io/component"] is null).Select(Title)),
        new("Services and NetworkPolicies that select a pod and its port", overlay => overlay.Objects.Where(o =>
            (Is(o["kind"], "Service") && !Serves(overlay, o["spec"]!["selector"]!.AsObject(), Items(o["spec"]!["ports"]).Select(port => port["targetPort"])))
            || (Is(o["kind"], "NetworkPolicy") && !Serves(overlay, o["spec"]!["podSelector"]!["matchLabels"]!.AsObject(), AllowedPorts(o)))).Select(Title)),
        new("a NetworkPolicy around every manager", overlay => overlay.Workloads
            .Where(workload => ContainersOf(PodSpecOf(workload)!).Any(container => NameOf(container) == "genkit-cli"))
            .Where(workload => !overlay.Objects.Any(o => Is(o["kind"], "NetworkPolicy")
                && Selects(o["spec"]!["podSelector"]!["matchLabels"]!.AsObject(), PodLabels(workload)))).Select(Title)),
        new("a manager that lets the sidecar in", overlay => overlay.Workloads
            .Where(workload => Sidecars(PodSpecOf(workload)!).Any(sidecar => !Reaches(overlay, workload, sidecar))).Select(Title)),
    ];

    public static IEnumerable<Policy> All => Restricted.Concat(Own);

    /// <summary>Returns the sidecars of a pod.</summary>
    public static IEnumerable<JsonObject> Sidecars(JsonObject pod) => ContainersOf(pod).Where(IsSidecar);

    /// <summary>Returns the commands of the exec probes of a container.</summary>
    public static IEnumerable<IReadOnlyList<string>> ProbeCommands(JsonObject container) =>
        Probes(container).Select(probe => probe["exec"]?["command"]).OfType<JsonArray>().Select(Strings);

    public static IReadOnlyList<string> Strings(JsonNode? list) => [.. list?.AsArray().Select(item => (string)item!) ?? []];

    /// <summary>Returns the labels of the pods that a workload makes.</summary>
    public static JsonObject PodLabels(JsonObject workload) => workload["spec"]!["template"]!["metadata"]!["labels"]!.AsObject();

    private static bool IsSidecar(JsonObject container) => NameOf(container) == "genkit-sidecar";

    private static string NameOf(JsonObject o) => (string)o["name"]!;

    private static string Title(JsonObject o) => $"{o["kind"]} {o["metadata"]!["name"]}";

    private static bool Is(JsonNode? node, JsonNode expected) => JsonNode.DeepEquals(node, expected);

    // A container's security context overrides its pod's.
    private static JsonNode? Secured(JsonObject pod, JsonObject container, string field) =>
        container["securityContext"]?[field] ?? pod["securityContext"]?[field];

    private static IEnumerable<JsonObject> Probes(JsonObject container) =>
        s_probes.Select(name => container[name]).OfType<JsonObject>();

    private static bool Asks(JsonNode? probe, string word, string path) =>
        Strings(probe?["exec"]?["command"]) is ["genkit-sidecar", "health", var asked] ? asked == word : Is(probe?["httpGet"]?["path"], path);

    private static JsonObject? EntryOf(JsonObject container, string variable) =>
        Items(container["env"]).SingleOrDefault(entry => NameOf(entry) == variable);

    private static string? Variable(JsonObject container, string name) => (string?)EntryOf(container, name)?["value"];

    private static JsonNode? FieldOf(JsonObject container, string variable) =>
        EntryOf(container, variable)?["valueFrom"]?["fieldRef"]?["fieldPath"];

    private static bool IsMountedAt(JsonObject container, string socket) => Items(container["volumeMounts"])
        .Any(mount => $"unix:{mount["mountPath"]}" == Path.GetDirectoryName(socket));

    private static bool Selects(JsonObject selector, JsonObject labels) => selector.All(label => JsonNode.DeepEquals(labels[label.Key], label.Value));

    private static bool Serves(Overlay overlay, JsonObject selector, IEnumerable<JsonNode?> ports) => overlay.Workloads.Any(workload =>
        Selects(selector, PodLabels(workload)) && ports.All(port => ContainersOf(PodSpecOf(workload)!)
            .SelectMany(container => Items(container["ports"])).Any(named => JsonNode.DeepEquals(named["name"], port))));

    private static IEnumerable<JsonNode?> AllowedPorts(JsonObject policy) =>
        Items(policy["spec"]!["ingress"]).SelectMany(rule => Items(rule["ports"])).Select(port => port["port"]);

    // The CLI is in the pod, or behind a Service whose pods accept connections from this one. An overlay without a CLI is not checked.
    private static bool Reaches(Overlay overlay, JsonObject workload, JsonObject sidecar)
    {
        if (!Uri.TryCreate(Variable(sidecar, "GENKIT_REFLECTION_V2_SERVER"), UriKind.Absolute, out var manager) || manager.Scheme != "ws")
        {
            return false;
        }

        if (manager.IsLoopback)
        {
            return ContainersOf(PodSpecOf(workload)!).Any(container => NameOf(container) == "genkit-cli");
        }

        if (!overlay.Workloads.Any(other => ContainersOf(PodSpecOf(other)!).Any(container => NameOf(container) == "genkit-cli")))
        {
            return true;
        }

        var service = overlay.Objects.SingleOrDefault(o => Is(o["kind"], "Service") && Is(o["metadata"]!["name"], manager.Host));
        return service is not null
            && Items(service["spec"]!["ports"]).Any(port => Is(port["port"], manager.Port))
            && overlay.Objects.Where(o => Is(o["kind"], "NetworkPolicy")).All(policy => Items(policy["spec"]!["ingress"])
                .SelectMany(rule => Items(rule["from"])).Any(peer => Selects(peer["podSelector"]!["matchLabels"]!.AsObject(), PodLabels(workload))));
    }

    [GeneratedRegex(@"[:@][\w][\w.:-]*$")]
    private static partial Regex VersionedImage();

    [GeneratedRegex(@"^metadata\.labels\['(.*)'\]$")]
    private static partial Regex LabelField();
}
