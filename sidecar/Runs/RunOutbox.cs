namespace Genkit.Sidecar.Runs;

/// <summary>
/// The events of a run, in order, until an endpoint reads them. Bounded in bytes: a slow endpoint makes the run wait, and by
/// HTTP/2's window the application. It outlives the endpoint's connection, so a run need not know of one.
/// </summary>
internal sealed class RunOutbox
{
    /// <summary>
    /// Enough for the socket's writer to send without pause while the application's next messages come in; more would only add
    /// delay. One payload over it still goes in alone, so what a run holds is this plus one message.
    /// </summary>
    public const int CapacityBytes = 64 * 1024;

    /// <summary>Counted for each event, so that empty chunks are bounded too.</summary>
    private const int EventOverheadBytes = 64;

    private readonly Lock _gate = new();
    private readonly Queue<RunEvent> _events = new();

    /// <summary>Taken and not delivered; read again before <see cref="_events"/>.</summary>
    private readonly Stack<RunEvent> _returned = new();
    private long _queuedBytes;
    private TaskCompletionSource? _room;
    private Action? _onReadable;

    /// <summary>Whether the reader has been told of what is queued and has not yet found the queue empty.</summary>
    private bool _announced;

    /// <summary>Nothing follows a run's last event.</summary>
    private bool _ended;

    private bool _abandoned;

    /// <summary>What waits to be read, and the memory that it takes.</summary>
    public (int Events, long Bytes) Waiting
    {
        get
        {
            lock (_gate)
            {
                return (_returned.Count + _events.Count, _queuedBytes);
            }
        }
    }

    /// <summary>Adds an event at once, however full the outbox is. False if the run has ended.</summary>
    public bool Post(in RunEvent runEvent)
    {
        bool added;
        Action? announcement;
        lock (_gate)
        {
            added = Add(runEvent, out announcement);
        }

        announcement?.Invoke();
        return added;
    }

    /// <summary>Adds an event when there is room. False if the run has ended, by then or meanwhile.</summary>
    public async ValueTask<bool> WriteAsync(RunEvent runEvent)
    {
        while (true)
        {
            Task? room = null;
            var added = false;
            Action? announcement = null;
            lock (_gate)
            {
                if (_ended || _queuedBytes < CapacityBytes)
                {
                    added = Add(runEvent, out announcement);
                }
                else
                {
                    _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    room = _room.Task;
                }
            }

            if (room is null)
            {
                announcement?.Invoke();
                return added;
            }

            await room;
        }
    }

    /// <summary>Takes the next event. False when there is none: the reader is then told of the next one.</summary>
    public bool TryRead(out RunEvent runEvent)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            if (!_returned.TryPop(out runEvent) && !_events.TryDequeue(out runEvent))
            {
                _announced = false;
                return false;
            }

            _queuedBytes -= runEvent.Length + EventOverheadBytes;
            if (_room is not null && _queuedBytes < CapacityBytes)
            {
                (room, _room) = (_room, null);
            }
        }

        room?.SetResult();
        return true;
    }

    /// <summary>Puts back what was read last and not delivered. Several events go back in reverse order.</summary>
    public void Return(in RunEvent runEvent)
    {
        Action? announcement;
        lock (_gate)
        {
            if (_abandoned)
            {
                runEvent.Release();
                return;
            }

            _returned.Push(runEvent);
            _queuedBytes += runEvent.Length + EventOverheadBytes;
            announcement = Announcement();
        }

        announcement?.Invoke();
    }

    /// <summary>Sets the reader, which is called whenever the outbox stops being empty, and at once if it is not empty.</summary>
    public void Attach(Action onReadable)
    {
        Action? announcement;
        lock (_gate)
        {
            _onReadable = onReadable;
            _announced = false;
            announcement = Announcement();
        }

        announcement?.Invoke();
    }

    /// <summary>Keeps what is queued, and the run waiting, until another reader comes.</summary>
    public void Detach()
    {
        lock (_gate)
        {
            _onReadable = null;
            _announced = false;
        }
    }

    /// <summary>Drops what is queued and what follows, because it will not be read.</summary>
    public void Abandon()
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            _ended = true;
            _abandoned = true;
            _onReadable = null;
            while (_returned.TryPop(out var undelivered))
            {
                undelivered.Release();
            }

            while (_events.TryDequeue(out var dropped))
            {
                dropped.Release();
            }

            _queuedBytes = 0;
            (room, _room) = (_room, null);
        }

        room?.SetResult();
    }

    private bool Add(in RunEvent runEvent, out Action? announcement)
    {
        announcement = null;
        if (_ended)
        {
            runEvent.Release();
            return false;
        }

        _events.Enqueue(runEvent);
        _queuedBytes += runEvent.Length + EventOverheadBytes;
        if (runEvent.EndsRun)
        {
            _ended = true;
            _room?.SetResult();
            _room = null;
        }

        announcement = Announcement();
        return true;
    }

    /// <summary>
    /// Returns the callback that notifies the reader; null if the outbox is empty, has no reader, or the reader was already notified. The caller invokes it after it has released the lock, because the reader may read and send there and then.
    /// A call to a reader that was detached in between has no effect.
    /// </summary>
    private Action? Announcement()
    {
        if (_announced || _returned.Count + _events.Count == 0 || _onReadable is null)
        {
            return null;
        }

        _announced = true;
        return _onReadable;
    }
}
