using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>Genkit's RuntimeManagerV2 in a process of its own: see tests/e2e/manager-host.cjs.</summary>
internal sealed class ManagerHost
{
    private readonly RunningProcess _process;
    private readonly Journal<ManagerEvent> _events = new("The manager");
    private int _lastId;

    private ManagerHost(RunningProcess process, int port)
    {
        (_process, Port) = (process, port);
        _ = ReadAsync();
    }

    public int Port { get; }

    public int ProcessId => _process.Id;

    /// <summary>The address of the telemetry server; null for a manager that was started without one.</summary>
    public Uri? Telemetry { get; private set; }

    public string Url => $"ws://127.0.0.1:{Port}";

    public static Task<ManagerHost> StartAsync(Workspace workspace) => StartAsync(workspace, FreePort());

    public static Task<ManagerHost> StartAsync(Workspace workspace, int port) => StartAsync(workspace, port, []);

    /// <summary>Starts the manager and the telemetry server of Genkit's CLI.</summary>
    public static async Task<ManagerHost> StartWithTelemetryAsync(Workspace workspace)
    {
        var port = FreePort();
        var host = await StartAsync(workspace, FreePort(), [$"{port}"]);
        host.Telemetry = new Uri($"http://127.0.0.1:{port}/");
        return host;
    }

    private static async Task<ManagerHost> StartAsync(Workspace workspace, int port, string[] more)
    {
        var script = Repository.Require("tests/e2e/manager-host.cjs", "git checkout tests/e2e");
        Repository.Require("tests/e2e/node_modules/@genkit-ai/tools-common/package.json", "tests/e2e/setup cli");
        var host = new ManagerHost(workspace.Start(["node", script, $"{port}", workspace.Folder, .. more]), port);
        await host.EventAsync("listening");
        return host;
    }

    /// <summary>Waits until a runtime has registered.</summary>
    public async Task<JsonElement> RuntimeAddedAsync() => (await EventAsync("runtime-added")).Value;

    public async Task<JsonElement> RuntimeRemovedAsync() => (await EventAsync("runtime-removed")).Value;

    public Task<JsonElement> RuntimesAsync() => AskAsync("runtimes");

    public Task<JsonElement> ListActionsAsync() => AskAsync("listActions");

    public Task<JsonElement> ListValuesAsync(string type) =>
        AskAsync("listValues", new JsonObject { ["type"] = type });

    public Task<JsonElement> CancelActionAsync(string traceId) =>
        AskAsync("cancelAction", new JsonObject { ["traceId"] = traceId });

    public Task<JsonElement> GetTraceAsync(string traceId) =>
        AskAsync("getTrace", new JsonObject { ["traceId"] = traceId });

    /// <summary>Waits until these spans of a trace have ended. An application's own spans arrive after the run's answer.</summary>
    public async Task<ReadTrace> TraceAsync(string traceId, params IEnumerable<string> spans) => new(await AnswerAsync(
        await SendAsync("traceWith", new JsonObject { ["traceId"] = traceId, ["spans"] = new JsonArray([.. spans]) })));

    /// <summary>Waits for the log records of a trace.</summary>
    public async Task<IReadOnlyList<JsonElement>> LogsAsync(string traceId) =>
        [.. (await AnswerAsync(await SendAsync("logsOf", new JsonObject { ["traceId"] = traceId }))).EnumerateArray()];

    public Task<JsonElement> ListTracesAsync() => AskAsync("listTraces", []);

    /// <summary>Runs an action several times, and returns the traces that could not be read right after each answer.</summary>
    public async Task<JsonElement> RunTracedAsync(string request, int times) => await AnswerAsync(
        await SendAsync("runTraced", new JsonObject { ["input"] = JsonNode.Parse(request), ["times"] = times }));

    /// <summary>Starts a run; <paramref name="request"/> is what the CLI's own callers pass: key, input, init, context….</summary>
    public async Task<ManagerRun> RunActionAsync(string request, bool stream = false, bool streamInput = false)
    {
        var id = await SendAsync("runAction", new JsonObject
        {
            ["input"] = JsonNode.Parse(request),
            ["stream"] = stream,
            ["streamInput"] = streamInput,
        });
        return new ManagerRun(this, id);
    }

    /// <summary>Waits for the next event of this name, and of this command if <paramref name="id"/> is given.</summary>
    public Task<ManagerEvent> EventAsync(string name, int? id = null) =>
        _events.TakeAsync(e => e.Name == name && e.Id == id, $"the event {name} of command {id}");

    /// <summary>Returns the frames that the runtimes have sent and no test has taken, in order.</summary>
    public IReadOnlyList<JsonElement> Frames() =>
        [.. _events.Snapshot().Where(e => e.Name == "frame").Select(e => e.Value)];

    public async Task<JsonElement> AnswerAsync(int id)
    {
        var answer = await _events.TakeAsync(e => e.Id == id && e.IsAnswer, $"an answer to command {id}");
        return answer.Name == "result" ? answer.Value : throw new ManagerException(answer.Value);
    }

    public async Task<int> SendAsync(string command, JsonObject members)
    {
        var id = ++_lastId;
        members["id"] = id;
        members["do"] = command;
        await _process.WriteLineAsync(members.ToJsonString());
        return id;
    }

    public async Task StopAsync()
    {
        Signal.Kill.Send(_process.Id);
        await _process.ExitAsync();
    }

    private async Task<JsonElement> AskAsync(string command, JsonObject? input = null) =>
        await AnswerAsync(await SendAsync(command, new JsonObject { ["input"] = input }));

    private async Task ReadAsync()
    {
        await foreach (var line in _process.Output.FollowAsync())
        {
            _events.Append(ManagerEvent.Parse(line));
        }

        _events.Complete();
    }

    // The manager does not accept port 0. If another process takes this port meanwhile, the manager fails with an error.
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
