using Genkit.Sidecar.Actions;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// What one socket's writer has to send: ready answers first, so that a cancel or a listing overtakes the chunks of runs, then
/// the runs that have something to say, in turn. Only order within a run is promised.
/// </summary>
/// <param name="isBurst">Whether several runs are likely to have something to send at one time; null for always.</param>
internal sealed class OutgoingQueue(Func<bool>? isBurst = null)
{
    /// <summary>
    /// Answers and runs that wait because the manager does not read. Past this the receive loop stops reading requests, so that
    /// their number is bounded by what the manager itself leaves in the socket.
    /// </summary>
    private const int MaxWaiting = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Action<OutgoingFrame>> _answers = new();
    private readonly Queue<PendingRequest> _runs = new();
    private TaskCompletionSource? _work;
    private TaskCompletionSource? _room;
    private bool _finishing;

    /// <summary>Ready answers; what runs have to say is theirs to count.</summary>
    public int WaitingAnswers
    {
        get
        {
            lock (_gate)
            {
                return _answers.Count;
            }
        }
    }

    /// <summary>Whether nothing is left to take and nothing more is wanted.</summary>
    public bool IsFinished
    {
        get
        {
            lock (_gate)
            {
                return _finishing && _answers.Count == 0 && _runs.Count == 0;
            }
        }
    }

    /// <summary>Adds an answer, which writes itself into the frame when its turn comes.</summary>
    public void Add(Action<OutgoingFrame> answer)
    {
        TaskCompletionSource? work;
        lock (_gate)
        {
            _answers.Enqueue(answer);
            work = TakeWaiter();
        }

        Wake(work, mayFollow: false);
    }

    /// <summary>Adds the answer to a request that failed before it became a run.</summary>
    public void AddError(RequestId id, int code, ActionFailure failure) =>
        Add(frame => JsonRpcWriter.Error(frame, id, code, failure, null));

    /// <summary>Gives a run with something in its outbox its turn. An outbox calls this when it becomes readable, and not again until a reader finds it empty. The writer calls it to give a run another turn.</summary>
    public void Announce(PendingRequest pending)
    {
        TaskCompletionSource? work;
        lock (_gate)
        {
            _runs.Enqueue(pending);
            work = TakeWaiter();
        }

        Wake(work, mayFollow: !pending.Run.HasEnded);
    }

    /// <summary>Wakes the writer for the last time.</summary>
    public void Finish()
    {
        TaskCompletionSource? work;
        lock (_gate)
        {
            _finishing = true;
            work = TakeWaiter();
        }

        Wake(work, mayFollow: false);
    }

    public bool TryTakeAnswer(out Action<OutgoingFrame>? answer)
    {
        TaskCompletionSource? room;
        bool taken;
        lock (_gate)
        {
            taken = _answers.TryDequeue(out answer);
            room = TakeRoomWaiter();
        }

        room?.SetResult();
        return taken;
    }

    public bool TryTakeRun(out PendingRequest? pending)
    {
        TaskCompletionSource? room;
        bool taken;
        lock (_gate)
        {
            taken = _runs.TryDequeue(out pending);
            room = TakeRoomWaiter();
        }

        room?.SetResult();
        return taken;
    }

    /// <summary>Completes when there is something to take. For the one writer only.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource work;
        lock (_gate)
        {
            if (_finishing || _answers.Count > 0 || _runs.Count > 0)
            {
                return Task.CompletedTask;
            }

            work = _work = new TaskCompletionSource();
        }

        return work.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Completes when another request may be read. For the one reader only.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource room;
        lock (_gate)
        {
            if (HasRoom)
            {
                return Task.CompletedTask;
            }

            room = _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return room.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Wakes the writer on this thread, which saves a change of threads for each answer. Where more may follow soon, in a stream or with several runs, it is woken
    /// on another thread: what is added until it runs goes out in one write.
    /// </summary>
    private void Wake(TaskCompletionSource? work, bool mayFollow)
    {
        if (work is null)
        {
            return;
        }

        if (mayFollow || isBurst is null || isBurst())
        {
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.SetResult(), work, preferLocal: false);
        }
        else
        {
            work.SetResult();
        }
    }

    private bool HasRoom => _answers.Count + _runs.Count < MaxWaiting;

    private TaskCompletionSource? TakeRoomWaiter()
    {
        var waiter = HasRoom ? _room : null;
        _room = HasRoom ? null : _room;
        return waiter;
    }

    private TaskCompletionSource? TakeWaiter()
    {
        var waiter = _work;
        _work = null;
        return waiter;
    }
}
