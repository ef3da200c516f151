using System.Runtime.InteropServices;
using System.Text.Json;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>A sidecar, seen from its manager.</summary>
internal sealed class ManagerSubject(Manager manager) : ISubject
{
    private readonly List<ManagerRun> _runs = [];

    public async Task<IRun> StartAsync(RunPlan plan, CancellationToken cancellationToken)
    {
        var run = await manager.StartAsync(plan, cancellationToken);
        _runs.Add(run);
        return run;
    }

    public Task<IReadOnlyList<ListedAction>> ListActionsAsync(CancellationToken cancellationToken) => AskAsync<IReadOnlyList<ListedAction>>(
        ManagerFrames.ListActions, result => [.. result.GetProperty("actions").EnumerateObject().Select(Listed)], cancellationToken);

    public async Task<byte[]?> ListValuesAsync(string type, CancellationToken cancellationToken) =>
        await AskAsync(id => ManagerFrames.ListValues(id, type), result => Bytes(result.GetProperty("values")), cancellationToken);

    /// <exception cref="CaseFailure">A run sent an update after its end.</exception>
    public ValueTask DisposeAsync() =>
        _runs.Select(run => run.LateFault).FirstOrDefault(fault => fault is not null) is { } late ? throw new CaseFailure(late) : ValueTask.CompletedTask;

    private async Task<T> AskAsync<T>(Func<string, byte[]> frame, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        var result = await manager.AskAsync(frame, cancellationToken);
        try
        {
            return read(result);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException)
        {
            throw new CaseFailure($"the response does not have the format that a manager expects: {e.Message}");
        }
    }

    private static ListedAction Listed(JsonProperty member)
    {
        var action = member.Value;
        if (action.GetProperty("key").GetString() != member.Name)
        {
            throw new CaseFailure($"the action at {member.Name} has the key {action.GetProperty("key").GetString()}");
        }

        return new ListedAction(
            member.Name,
            action.GetProperty("name").GetString()!,
            action.TryGetProperty("description", out var description) ? description.GetString() : null,
            action.TryGetProperty("inputSchema", out var input) ? Bytes(input) : null,
            action.TryGetProperty("outputSchema", out var output) ? Bytes(output) : null,
            action.TryGetProperty("metadata", out var metadata) ? Bytes(metadata) : null);
    }

    private static byte[] Bytes(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).ToArray();
}
