using System.Text.Json.Nodes;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Kubernetes;

/// <summary>
/// A rendered pod, run as processes with its environment, commands, probes, users, volumes, its own network and read-only root, and
/// without capabilities. Images, seccomp and limits are left out, and the test takes the place of the kubelet.
/// </summary>
internal sealed class Pod
{
    private const string Address = "192.0.2.1"; // the one that tests/kubernetes/sandbox gives it
    private const string Name = "hello-5d4f8-x2x7p";

    // The environment of the images. The manifests add to it.
    private static readonly Dictionary<string, Image> s_images = new()
    {
        ["genkit-sidecar"] = new(["genkit-sidecar"], "/", new()),
        ["genkit-cli"] = new(["genkit", "--non-interactive"], "/home/node", new() { ["XDG_CONFIG_HOME"] = "/tmp" }),
        ["hello"] = new(
            ["/usr/bin/python3", "hello.py"], "/run/repository/clients/python/examples/stubs", new() { ["PYTHONDONTWRITEBYTECODE"] = "1" }),
    };

    private readonly Workspace _workspace;
    private readonly JsonObject _workload;
    private readonly JsonObject _spec;
    private readonly RunningProcess _sandbox;

    private Pod(Workspace workspace, JsonObject workload, RunningProcess sandbox)
    {
        (_workspace, _workload, _sandbox) = (workspace, workload, sandbox);
        _spec = Overlay.PodSpecOf(workload)!;
    }

    /// <summary>Values of Secrets, by name and key.</summary>
    public Dictionary<(string Name, string Key), string> Secrets { get; } = [];

    public static async Task<Pod> StartAsync(Workspace workspace, JsonObject workload)
    {
        var paths = Overlay.ContainersOf(Overlay.PodSpecOf(workload)!)
            .SelectMany(container => Overlay.Items(container["volumeMounts"])).Select(mount => (string)mount["mountPath"]!).Distinct();
        var sandbox = workspace.Start([
            "unshare", .. IsRoot ? Array.Empty<string>() : ["--map-root-user"], "--net", "--mount", Path.Combine(Repository.Root, "tests/kubernetes/sandbox"),
            Repository.Require(Repository.Sidecar, "tests/e2e/setup sidecar"), Path.Combine(workspace.Folder, ".genkit"), .. paths]);
        await sandbox.Output.FirstAsync(line => line == "ready", "a sandbox for the pod");
        return new Pod(workspace, workload, sandbox);
    }

    /// <summary>Starts a container.</summary>
    public RunningProcess Start(string name)
    {
        var container = ContainerOf(name);
        var image = ImageOf(container);
        var command = container["command"] is { } replaced ? Policies.Strings(replaced) : image.EntryPoint;
        return Execute(container, [.. command, .. Policies.Strings(container["args"])]);
    }

    /// <summary>Repeats a probe of a container until it passes, as the kubelet does, but without the period.</summary>
    public async Task PassesAsync(string container, string probe)
    {
        for (var end = Environment.TickCount64 + (long)Timeouts.Default.TotalMilliseconds; !await ProbeAsync(container, probe);)
        {
            Assert.True(Environment.TickCount64 < end, $"The {probe} of {container} did not pass within {Timeouts.Default}.");
        }
    }

    /// <summary>Runs a probe of a container once.</summary>
    public async Task<bool> ProbeAsync(string name, string probe)
    {
        var container = ContainerOf(name);
        var asked = container[probe] ?? throw new ArgumentException($"{name} has no {probe}.", nameof(probe));
        if (asked["exec"] is { } exec)
        {
            return await Execute(container, Policies.Strings(exec["command"])).ExitAsync() == 0;
        }

        if (asked["httpGet"] is { } http)
        {
            return (await GetAsync(PortOf(container, http), (string)http["path"]!)).Status is >= 200 and < 400;
        }

        return await NodeAsync(
            "require('net').connect(+process.argv[1], process.argv[2]).on('connect', () => process.exit(0)).on('error', () => process.exit(1))",
            $"{PortOf(container, asked["tcpSocket"]!)}", Address) is (0, _);
    }

    /// <summary>Gets a path from the pod's address, as another pod does. The status is 0 if the connection fails.</summary>
    public Task<(int Status, string Body)> GetAsync(int port, string path, string? authorization = null) =>
        FetchAsync($"http://{Address}:{port}{path}", new JsonObject { ["headers"] = Headers("authorization", authorization) });

    /// <summary>Posts JSON to the pod's loopback address, as `kubectl port-forward` does.</summary>
    public Task<(int Status, string Body)> PostAsync(int port, string path, string body) =>
        FetchAsync($"http://127.0.0.1:{port}{path}", new JsonObject
        {
            ["method"] = "POST",
            ["headers"] = Headers("content-type", "application/json"),
            ["body"] = body,
        });

    private static JsonObject Headers(string name, string? value) => value is null ? [] : new JsonObject { [name] = value };

    private async Task<(int Status, string Body)> FetchAsync(string url, JsonObject options)
    {
        var (code, output) = await NodeAsync(
            "fetch(process.argv[1], JSON.parse(process.argv[2])).then(async (r) => console.log(r.status + '\\n' + await r.text()), () => process.exit(1))",
            url, options.ToJsonString());
        return code == 0 ? (int.Parse(output[0], null), string.Join('\n', output.Skip(1))) : (0, "");
    }

    private async Task<(int Code, IReadOnlyList<string> Output)> NodeAsync(string script, params IEnumerable<string> arguments)
    {
        var node = _workspace.Start([.. Enter, "node", "-e", script, .. arguments]);
        return (await node.ExitAsync(), node.Output.Snapshot());
    }

    private IEnumerable<string> Enter =>
    [
        "nsenter", "--target", $"{_sandbox.Id}", .. IsRoot ? Array.Empty<string>() : ["--user", "--preserve-credentials"],
        "--net", "--mount", "--",
    ];

    // Only root can choose the containers' users. Another user gets root's role in a user namespace, where all containers share one user.
    private static bool IsRoot => Environment.IsPrivilegedProcess;

    private RunningProcess Execute(JsonObject container, IEnumerable<string> command)
    {
        var image = ImageOf(container);
        var environment = new Dictionary<string, string>(image.Environment)
        {
            ["HOME"] = "/",
            ["PATH"] = "/run/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        };
        foreach (var entry in Overlay.Items(container["env"]))
        {
            environment[(string)entry["name"]!] = ValueOf(entry);
        }

        // A container inherits only the variable that marks it for termination with the test.
        environment[Workspace.Marker] = _workspace.Folder;
        return _workspace.Start(
        [
            .. Enter,
            "setpriv",
            .. IsRoot ? ["--reuid", Id(container, "runAsUser"), "--regid", Id(container, "runAsGroup"), "--clear-groups"] : Array.Empty<string>(),
            "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs",
            "env", "--ignore-environment", "--chdir", (string?)container["workingDir"] ?? image.Folder,
            .. environment.Select(variable => $"{variable.Key}={variable.Value}"),
            .. command,
        ]);
    }

    private JsonObject ContainerOf(string name) => Overlay.ContainersOf(_spec).Single(container => (string)container["name"]! == name);

    private static Image ImageOf(JsonObject container) => s_images[((string)container["image"]!).Split(':')[0]];

    private static int PortOf(JsonObject container, JsonNode target) => (int)Overlay.Items(container["ports"])
        .Single(port => JsonNode.DeepEquals(port["name"], target["port"]))["containerPort"]!;

    private string Id(JsonObject container, string field) => $"{container["securityContext"]?[field] ?? _spec["securityContext"]![field]}";

    private string ValueOf(JsonObject entry)
    {
        if ((string?)entry["value"] is { } value)
        {
            return value;
        }

        var source = entry["valueFrom"]!;
        if (source["secretKeyRef"] is { } secret)
        {
            return Secrets[((string)secret["name"]!, (string)secret["key"]!)];
        }

        var field = (string)source["fieldRef"]!["fieldPath"]!;
        return field == "metadata.name" ? Name : (string)Policies.PodLabels(_workload)[field.Split('\'')[1]]!;
    }

    private sealed record Image(IReadOnlyList<string> EntryPoint, string Folder, Dictionary<string, string> Environment);
}
