using System.Runtime.CompilerServices;

namespace StreamingQuery;

/// <summary>Heartbeats, by which a reader tells an agent that thinks from a connection that is dead.</summary>
internal static class Heartbeats
{
    /// <summary>Gives the events, and a heartbeat after each interval without one. Stops <paramref name="events"/> whenever it ends.</summary>
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
            // Nobody may dispose of an enumerator that is about to move.
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
