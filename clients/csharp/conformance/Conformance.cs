// Serves the actions that `genkit-conformance` calls (tests/conformance/catalogue.jsonc) with this library.
using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Genkit.Sidecar.Client;
using Grpc.Core;

var cancelled = new Signals();
var meetings = new Signals();
var parties = new ConcurrentDictionary<string, int>();
var hidden = ActionDefinition.Create("flow", "hidden", () => "found");
var application = new Application("conformance", new ApplicationOptions
{
    Environments = ["dev"],
    Resolve = key => key == hidden.Key ? hidden : null,
});
application.Values["defaultModel"] = new JsonObject { ["defaultModel"] = new JsonObject { ["name"] = "conformance/model" } };
application.Values["middleware"] = [];

application.Flow("echo", Echo, new ActionOptions { Description = "Returns its input — byte for byte ✓" });
application.Flow("echo-init", (ActionRunContext context) => context.InitJson);
application.Flow("echo-context", (ActionRunContext context) => context.ContextJson);
application.Flow("echo-chunk", async (RawJson input, ActionRunContext context) => await context.SendChunkAsync(input));
application.Flow("greet", (Person person) => new Greeting($"Hello, {person.Name}!"), new ActionOptions
{
    Description = "Greets by name.",
    Metadata = new JsonObject { ["conformance"] = new JsonObject { ["level"] = 1, ["tags"] = new JsonArray("a", "b") } },
});
application.Flow("inspect", Inspect);
application.Flow("count", async (Count input, ActionRunContext context) =>
{
    for (var index = 0; index < input.To; index++)
    {
        await context.SendChunkAsync(new { index, padding = new string('x', input.Bytes) });
    }

    return new { sent = input.To };
});
application.Flow("nothing", () => Task.CompletedTask);
application.Flow("null", () => Task.FromResult<object?>(null));
application.Flow("folder/deep/ünïcode name", () => Task.FromResult("found"));
application.Model(
    "conformance/model",
    () => Task.FromResult(new { message = new { role = "model", content = new[] { new { text = "ok" } } }, finishReason = "stop" }),
    new ModelOptions { Label = "Conformance model", Supports = new ModelSupports { Multiturn = true, Tools = false, Media = false, SystemRole = true } });

application.Flow("fail", (Failure input, ActionRunContext context) => FailAsync(input, context, asStatus: false));
application.Flow("fail-error", (Failure input, ActionRunContext context) => FailAsync(input, context, asStatus: false));
application.Flow("fail-status", (Failure input, ActionRunContext context) => FailAsync(input, context, asStatus: true));
application.Flow("throw", () => Task.FromException(new InvalidOperationException("thrown as asked")));

application.Flow("wait", async (Named input, ActionRunContext context) =>
{
    using var noted = context.CancellationToken.Register(() => cancelled[input.Id].TrySetResult());
    await context.SendChunkAsync(new { waiting = input.Id });
    await Task.Delay(Timeout.Infinite, context.CancellationToken);
});
application.Flow("endless", async (Named input, ActionRunContext context) =>
{
    using var noted = context.CancellationToken.Register(() => cancelled[input.Id].TrySetResult());
    for (var index = 0; ; index++)
    {
        await context.SendChunkAsync(new { index, padding = new string('x', 1024) });
    }
});
application.Flow("await-cancelled", async (Named input, CancellationToken cancellationToken) =>
{
    await cancelled[input.Id].Task.WaitAsync(cancellationToken);
    return new { cancelled = input.Id };
});
application.Flow("meet", async (Meeting input, CancellationToken cancellationToken) =>
{
    if (parties.AddOrUpdate(input.Id, 1, (_, count) => count + 1) == input.Parties)
    {
        meetings[input.Id].TrySetResult();
    }

    await meetings[input.Id].Task.WaitAsync(cancellationToken);
    return new { met = input.Parties };
});
application.Flow("state", async (ActionRunContext context) =>
{
    await context.SendStateAsync("0af7651916cd43dd8448eb211c80319c");
    await context.SendChunkAsync("after state");
    return "done";
});

application.Flow("echo-chunks", async (IAsyncEnumerable<RawJson> chunks, ActionRunContext context) =>
{
    if (!context.InitJson.IsAbsent)
    {
        await context.SendChunkAsync(context.InitJson);
    }

    var taken = 0;
    await foreach (var chunk in chunks)
    {
        await context.SendChunkAsync(chunk);
        taken++;
    }

    return new { chunks = taken };
});
application.Flow("collect", async (IAsyncEnumerable<RawJson> chunks) =>
{
    var sizes = await chunks.Select(chunk => chunk.Utf8.Length).ToListAsync();
    return new { chunks = sizes.Count, bytes = sizes.Sum() };
});
application.Flow("first", async (IAsyncEnumerable<RawJson> chunks) =>
{
    await foreach (var chunk in chunks)
    {
        return chunk;
    }

    throw new ActionError(StatusCode.FailedPrecondition, "the input ended without a chunk");
});
application.Flow("wait-for-input", async (IAsyncEnumerable<RawJson> chunks, ActionRunContext context) =>
{
    var id = JsonSerializer.Deserialize<JsonElement>(context.InputJson.Utf8.Span).GetProperty("id").GetString()!;
    using var noted = context.CancellationToken.Register(() => cancelled[id].TrySetResult());
    await context.SendChunkAsync(new { waiting = id });
    var taken = 0;
    await foreach (var chunk in chunks)
    {
        await context.SendChunkAsync(new { taken = ++taken });
    }

    await Task.Delay(Timeout.Infinite, context.CancellationToken);
});
application.Flow("fail-on-input", async (IAsyncEnumerable<Failure> chunks) =>
{
    await foreach (var chunk in chunks)
    {
        throw new ActionError((StatusCode)chunk.Code, chunk.Message);
    }
});
application.Flow("add-action", (Added input) =>
{
    application.Flow(input.Name, Echo);
    return Task.FromResult<object?>(null);
});
application.Flow("remove-action", (Added input) =>
{
    application.Remove($"/flow/{input.Name}");
    return Task.FromResult<object?>(null);
});

await application.ServeAsync();

static Task<RawJson> Echo(ActionRunContext context) => Task.FromResult(context.InputJson);

static JsonObject Inspect(ActionRunContext context)
{
    string[] names = ["traceparent", "tracestate", "baggage", "x-conformance"];
    var seen = new JsonObject
    {
        ["key"] = context.Key,
        ["stream"] = context.StreamingRequested,
        ["telemetryLabels"] = new JsonObject(context.TelemetryLabels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value))),
        ["metadata"] = new JsonObject(names.Where(context.Metadata.ContainsKey).Select(name => KeyValuePair.Create(name, (JsonNode?)context.Metadata[name].ToString()))),
    };
    foreach (var (name, json) in new[] { ("input", context.InputJson), ("init", context.InitJson), ("context", context.ContextJson) })
    {
        if (!json.IsAbsent)
        {
            seen[name] = JsonNode.Parse(json.Utf8.Span);
        }
    }

    return seen;
}

static async Task FailAsync(Failure input, ActionRunContext context, bool asStatus)
{
    for (var index = 0; index < input.Chunks; index++)
    {
        await context.SendChunkAsync(new { index });
    }

    throw asStatus
        ? new RpcException(new Status((StatusCode)input.Code, input.Message))
        : new ActionError((StatusCode)input.Code, input.Message, input.Details) { Stack = input.Stack };
}

internal sealed record Person(string Name);

internal sealed record Greeting([property: JsonPropertyName("greeting")] string Text);

internal sealed record Count(int To, int Bytes = 0);

internal sealed record Named(string Id);

internal sealed record Meeting(string Id, int Parties);

internal sealed record Added(string Name);

internal sealed record Failure(int Code, string Message, int Chunks = 0, JsonObject? Details = null, string? Stack = null);

internal sealed class Signals
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _signals = new();

    public TaskCompletionSource this[string id] => _signals.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
