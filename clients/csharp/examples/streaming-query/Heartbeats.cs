using System.Runtime.CompilerServices;

namespace StreamingQuery;

/// <summary>Heartbeats, which distinguish a slow agent from a dead connection.</summary>
internal static class Heartbeats
{
    /// <summary>Returns the events, and a heartbeat after each interval without an event. Stops <paramref name="events"/> when it ends.</summary>
    public static async IAsyncEnumerable<Event> WithHeartbeatsAsync(
        this IAsyncEnumerable<Event> events, TimeSpan interval, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var source = events.GetAsyncEnumerator(stop.Token);
        var following = Task.FromResult(true);
        try
        {
            while (true)
            {
                following = source.MoveNextAsync().AsTask();
                while (!await HasEndedAsync(following, interval, time))
                {
                    yield return new HeartbeatEvent();
                }

                if (!await following)
                {
                    yield break;
                }

                yield return source.Current;
            }
        }
        finally
        {
            // An enumerator must not be disposed while MoveNextAsync is pending.
            await stop.CancelAsync();
            await ((Task)following).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<bool> HasEndedAsync(Task task, TimeSpan timeout, TimeProvider time)
    {
        await task.WaitAsync(timeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }
}
