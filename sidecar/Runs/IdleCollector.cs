namespace Genkit.Sidecar.Runs;

/// <summary>
/// Returns memory to the system when no run is active. An idle process allocates nothing, so the garbage collector does not run, and the memory that the start or a
/// large payload took stays resident.
/// </summary>
internal sealed class IdleCollector : IDisposable
{
    /// <summary>Time without a run before it is worth a pause of some milliseconds.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(500);

    /// <summary>The shared array pool returns what was unused for 30 s, and looks only when a collection ends.</summary>
    private static readonly TimeSpan s_poolQuiet = TimeSpan.FromSeconds(35);

    /// <summary>Less is not worth the pause.</summary>
    private const long MinAllocatedBytes = 4 * 1024 * 1024;

    private readonly ActiveRuns _runs;
    private readonly Action _collect;
    private readonly Func<long> _allocated;
    private readonly ITimer _timer;
    private long _allocatedBefore;
    private int _touches;
    private int _seenTouches;
    private int _isArmed;
    private int _waitsForPool;
    private bool _isSecond;

    /// <param name="runs">A collection pauses all of them, so none may be active.</param>
    /// <param name="time">Clock of the timer.</param>
    /// <param name="collect">Collects; null for the garbage collector.</param>
    /// <param name="allocated">Returns the bytes allocated since the start; null for the collector's own count.</param>
    public IdleCollector(ActiveRuns runs, TimeProvider time, Action? collect = null, Func<long>? allocated = null)
    {
        _runs = runs;
        _collect = collect ?? (static () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true));
        _allocated = allocated ?? (static () => GC.GetTotalAllocatedBytes());
        _timer = time.CreateTimer(static collector => ((IdleCollector)collector!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        runs.BecameIdle += Touch;
    }

    /// <summary>Something has ended that may have left memory behind.</summary>
    public void Touch()
    {
        var touches = Interlocked.Increment(ref _touches);
        if (Volatile.Read(ref _isArmed) == 0 && Interlocked.Exchange(ref _isArmed, 1) == 0)
        {
            _seenTouches = touches;
            _timer.Change(s_quiet, Timeout.InfiniteTimeSpan);
        }
        else if (Volatile.Read(ref _waitsForPool) == 1 && Interlocked.Exchange(ref _waitsForPool, 0) == 1)
        {
            // What a run has left now must not wait for what the pool had kept before.
            _timer.Change(s_quiet, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _runs.BecameIdle -= Touch;
        _timer.Dispose();
    }

    private void OnTimer()
    {
        Volatile.Write(ref _waitsForPool, 0);
        var touches = Volatile.Read(ref _touches);
        if (touches != _seenTouches || _runs.Count > 0)
        {
            _isSecond = false;
            _seenTouches = touches;
            _timer.Change(s_quiet, Timeout.InfiniteTimeSpan);
            return;
        }

        var allocated = _allocated();
        if (_isSecond || allocated - _allocatedBefore >= MinAllocatedBytes)
        {
            _collect();
            _allocatedBefore = _allocated();
            if (!_isSecond)
            {
                _isSecond = true;
                _timer.Change(s_poolQuiet, Timeout.InfiniteTimeSpan);
                Volatile.Write(ref _waitsForPool, 1);
                return;
            }
        }

        _isSecond = false;
        Volatile.Write(ref _isArmed, 0);
        if (Volatile.Read(ref _touches) != touches)
        {
            Touch();
        }
    }
}
