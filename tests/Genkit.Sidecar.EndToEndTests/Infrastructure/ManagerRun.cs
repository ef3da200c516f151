using System.Text.Json;
using System.Text.Json.Nodes;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

/// <summary>One run that the manager started.</summary>
internal sealed class ManagerRun(ManagerHost manager, int id)
{
    public async Task<string> TraceIdAsync() => (await manager.EventAsync("trace", id)).Value.GetString()!;

    public async Task<JsonElement> ChunkAsync() => (await manager.EventAsync("chunk", id)).Value;

    /// <summary>Waits for the answer: `{result, telemetry}`, or an exception with the error.</summary>
    public Task<JsonElement> AnswerAsync() => manager.AnswerAsync(id);

    public Task<ManagerException> ErrorAsync() => Assert.ThrowsAsync<ManagerException>(AnswerAsync);

    public async Task SendInputAsync(string chunk) => await manager.AnswerAsync(
        await manager.SendAsync("sendInput", new JsonObject { ["run"] = id, ["chunk"] = JsonNode.Parse(chunk) }));

    public async Task EndInputAsync() =>
        await manager.AnswerAsync(await manager.SendAsync("endInput", new JsonObject { ["run"] = id }));
}
