using System.Collections.Concurrent;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>Lets runs wait for each other.</summary>
internal sealed class Meetings
{
    private readonly ConcurrentDictionary<string, Meeting> _meetings = new(StringComparer.Ordinal);

    /// <summary>Completes when the given number of runs waits at the same time.</summary>
    public async Task MeetAsync(string id, int parties, CancellationToken cancellationToken)
    {
        var meeting = _meetings.GetOrAdd(id, _ => new Meeting());
        if (Interlocked.Increment(ref meeting.Present) >= parties)
        {
            meeting.Complete.TrySetResult();
        }

        try
        {
            await meeting.Complete.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref meeting.Present);
        }
    }

    private sealed class Meeting
    {
        public readonly TaskCompletionSource Complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public int Present;
    }
}
