namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// The unanswered runs of Reflection API v2. Those of a lost connection are held: they keep running, and their events wait
/// until it is known whether the next connection leads to the manager that asked.
/// </summary>
internal sealed class PendingRequests
{
    private readonly Lock _gate = new();
    private readonly HashSet<PendingRequest> _live = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<PendingRequest> _held = new(ReferenceEqualityComparer.Instance);

    /// <summary>The requests in <see cref="_live"/> that were resumed from an earlier connection. Until the manager sends its first request, its identity is only presumed.</summary>
    private readonly HashSet<PendingRequest> _resumed = new(ReferenceEqualityComparer.Instance);

    private volatile int _liveCount;

    /// <summary>How many runs of the present connection are unanswered.</summary>
    public int LiveCount => _liveCount;

    /// <summary>What all of them have to say, and the memory that it takes.</summary>
    public (long Messages, long Bytes) Waiting
    {
        get
        {
            lock (_gate)
            {
                var (messages, bytes) = (0L, 0L);
                foreach (var pending in _live.Concat(_held))
                {
                    var waiting = pending.Run.Outbox.Waiting;
                    (messages, bytes) = (messages + waiting.Events, bytes + waiting.Bytes);
                }

                return (messages, bytes);
            }
        }
    }

    /// <summary>Adds a run of the present connection.</summary>
    public void Add(PendingRequest pending, OutgoingQueue queue)
    {
        lock (_gate)
        {
            _live.Add(pending);
            _liveCount = _live.Count;
        }

        pending.Run.Outbox.Attach(() => queue.Announce(pending));
    }

    /// <summary>Forgets a run whose last event has been sent.</summary>
    public void Remove(PendingRequest pending)
    {
        lock (_gate)
        {
            _live.Remove(pending);
            _held.Remove(pending);
            _resumed.Remove(pending);
            _liveCount = _live.Count;
        }
    }

    /// <summary>The connection is lost. Streamed input ends, as in native runtimes: its other end is gone.</summary>
    /// <returns>How many of its runs are held from now on.</returns>
    public int Hold()
    {
        lock (_gate)
        {
            var held = _live.Count;
            foreach (var pending in _live)
            {
                pending.Run.Outbox.Detach();
                pending.Run.Input?.Complete();
                _held.Add(pending);
            }

            _live.Clear();
            _liveCount = 0;
            _resumed.Clear();
            return held;
        }
    }

    /// <summary>The manager that asked is back: it gets what was held.</summary>
    public int Resume(OutgoingQueue queue)
    {
        PendingRequest[] resumed;
        lock (_gate)
        {
            resumed = [.. _held];
            _live.UnionWith(_held);
            _liveCount = _live.Count;
            _resumed.UnionWith(_held);
            _held.Clear();
        }

        // Outside of the lock, because the writer may send what is held there and then, and remove the run.
        foreach (var pending in resumed)
        {
            pending.Run.Outbox.Attach(() => queue.Announce(pending));
        }

        return resumed.Length;
    }

    /// <summary>The manager that asked is gone: stops the held runs, and those that were resumed.</summary>
    public int Drop()
    {
        PendingRequest[] dropped;
        lock (_gate)
        {
            dropped = [.. _held, .. _resumed];
            _live.ExceptWith(_resumed);
            _liveCount = _live.Count;
            _held.Clear();
            _resumed.Clear();
        }

        foreach (var pending in dropped)
        {
            pending.Run.Abandon();
        }

        return dropped.Length;
    }
}
