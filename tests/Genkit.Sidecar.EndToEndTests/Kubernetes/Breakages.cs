using System.Text.Json.Nodes;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>For each policy, an overlay and a change to it that violates the policy.</summary>
internal static class Breakages
{
    public static IReadOnlyDictionary<string, (string Overlay, Action<Overlay> Break)> Of { get; } =
        new Dictionary<string, (string, Action<Overlay>)>
        {
            ["no namespace of the host"] = ("base", o => Pod(o)["hostPID"] = true),
            ["volumes of restricted types"] = ("base", o => Pod(o)["volumes"]!.AsArray().Add(Parse("""{"name": "node", "hostPath": {"path": "/"}}"""))),
            ["runs as a user other than root"] = ("base", o => Pod(o)["securityContext"]!["runAsUser"] = 0),
            ["the runtime's seccomp profile"] = ("base", o => Security(Sidecar(o))["seccompProfile"] = Parse("""{"type": "Unconfined"}""")),
            ["no privileges to gain"] = ("base", o => Security(Application(o)).Remove("allowPrivilegeEscalation")),
            ["no capabilities"] = ("base", o => Security(Sidecar(o))["capabilities"]!["add"] = Parse("""["NET_ADMIN"]""")),
            ["no ports of the host"] = ("overlays/dev-tools", o => Container(o, "genkit-dev-tools")["ports"]![0]!["hostPort"] = 3200),
            ["a file system that is read only"] = ("base", o => Security(Sidecar(o)).Remove("readOnlyRootFilesystem")),
            ["no token of the Kubernetes API and no links to Services"] = ("base", o => Pod(o).Remove("enableServiceLinks")),
            ["an end to the patience at stopping"] = ("base", o => Pod(o).Remove("terminationGracePeriodSeconds")),
            ["resources asked for, and memory limited"] = ("base", o => Sidecar(o)["resources"]!.AsObject().Remove("limits")),
            ["an image with a version"] = ("base", o => Sidecar(o)["image"] = "registry.example:5000/genkit-sidecar"),
            ["a sidecar that is a native one"] = ("base", o => Sidecar(o).Remove("restartPolicy")),
            ["no init container but sidecars, and no sidecar elsewhere"] = ("base", o => Pod(o)["containers"]!.AsArray().Add(Sidecar(o).DeepClone())),
            ["startup and liveness probes of what is ours"] = ("overlays/one-pod", o => Container(o, "hello", "genkit-cli").Remove("livenessProbe")),
            ["a startup probe of the sidecar that does not depend on manager and application"] = ("base", o => Sidecar(o)["startupProbe"]!["exec"]!["command"]![2] = "ready"),
            ["a liveness probe of the sidecar that does not depend on manager and application"] = ("overlays/metrics", o => Sidecar(o)["livenessProbe"]!["httpGet"]!["path"] = "/readyz"),
            ["time enough for a probe to give its own reason"] = ("base", o => Sidecar(o)["livenessProbe"]!.AsObject().Remove("timeoutSeconds")),
            ["probes of ports that the container names"] = ("overlays/metrics", o => Sidecar(o).Remove("ports")),
            ["mounts of volumes that the pod has"] = ("base", o => Pod(o)["volumes"]![0]!["name"] = "other"),
            ["volumes that are limited, and mounted"] = ("base", o => Pod(o)["volumes"]![0]!["emptyDir"]!.AsObject().Remove("sizeLimit")),
            ["a sidecar that dials where the application listens, and may"] = ("base", o => Security(Application(o))["runAsUser"] = 1000),
            ["a runtime id for each pod"] = ("base", o => Variable(o, "GENKIT_RUNTIME_ID").ReplaceWith(Parse("""{"name": "GENKIT_RUNTIME_ID", "value": "hello"}"""))),
            ["a runtime name that its label has"] = ("base", o => Policies.PodLabels(o.Workload).Remove("app.kubernetes.io/name")),
            ["a Job that ends"] = ("overlays/job", o => Pod(o)["restartPolicy"] = "OnFailure"),
            ["a selector that finds its own pods"] = ("base", o => Policies.PodLabels(o.Workload)["app.kubernetes.io/name"] = "other"),
            ["common labels"] = ("overlays/dev-tools", o => Object(o, "Service")["metadata"]!.AsObject().Remove("labels")),
            ["Services and NetworkPolicies that select a pod and its port"] = ("overlays/dev-tools", o => Object(o, "Service")["spec"]!["ports"]![0]!["targetPort"] = "http"),
            ["a NetworkPolicy around every manager"] = ("overlays/one-pod", o => Object(o, "NetworkPolicy")["spec"]!["podSelector"]!["matchLabels"]!["app.kubernetes.io/name"] = "other"),
            ["a manager that lets the sidecar in"] = ("overlays/dev-tools", o => Policies.PodLabels(Workload(o, "hello")).Remove("genkit-sidecar/manager")),
        };

    private static JsonNode Parse(string json) => JsonNode.Parse(json)!;

    private static JsonObject Object(Overlay overlay, string kind) => overlay.Objects.First(o => (string)o["kind"]! == kind);

    private static JsonObject Workload(Overlay overlay, string name) => overlay.Workloads.Single(o => (string)o["metadata"]!["name"]! == name);

    private static JsonObject Pod(Overlay overlay) => Overlay.PodSpecOf(overlay.Workload)!;

    private static JsonObject Sidecar(Overlay overlay) => Policies.Sidecars(Pod(overlay)).Single();

    private static JsonObject Application(Overlay overlay) => Pod(overlay)["containers"]![0]!.AsObject();

    private static JsonObject Container(Overlay overlay, string workload, string name = "genkit-cli") =>
        Overlay.ContainersOf(Overlay.PodSpecOf(Workload(overlay, workload))!).Single(container => (string)container["name"]! == name);

    private static JsonObject Security(JsonObject container) => container["securityContext"]!.AsObject();

    private static JsonNode Variable(Overlay overlay, string name) =>
        Sidecar(overlay)["env"]!.AsArray().Single(entry => (string)entry!["name"]! == name)!;
}
