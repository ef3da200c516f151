using System.Collections.Concurrent;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>Records cancelled runs by the ids in their inputs.</summary>
internal sealed class CancelledRuns
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _runs = new(StringComparer.Ordinal);

    public void Add(string id) => Of(id).TrySetResult();

    /// <summary>Completes when the run with this id was cancelled.</summary>
    public Task WaitAsync(string id, CancellationToken cancellationToken) => Of(id).Task.WaitAsync(cancellationToken);

    private TaskCompletionSource Of(string id) => _runs.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
