using System.Globalization;

namespace Genkit.Sidecar.Grpc;

/// <summary>Ends a call when its time is up. Lives as long as the call goes on.</summary>
internal sealed class Deadline : IDisposable
{
    // Timers take at most 49 days; a longer deadline is looked at again then.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromDays(49);

    private readonly TimeSpan _length;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly Action<GrpcStatus> _end;
    private readonly ITimer _timer;

    public Deadline(TimeSpan length, TimeProvider time, Action<GrpcStatus> end)
    {
        _length = length;
        _time = time;
        _end = end;
        _startedAt = time.GetTimestamp();
        _timer = time.CreateTimer(static deadline => ((Deadline)deadline!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Negative once the deadline has passed.</summary>
    public TimeSpan Remaining => _length - _time.GetElapsedTime(_startedAt);

    public bool HasPassed => Remaining <= TimeSpan.Zero;

    /// <summary>Starts to watch; a deadline that has passed ends the call at once.</summary>
    public void Start()
    {
        if (_length <= TimeSpan.Zero)
        {
            _end(ToStatus());
        }
        else
        {
            _timer.Change(_length < s_longestTimer ? _length : s_longestTimer, Timeout.InfiniteTimeSpan);
        }
    }

    public GrpcStatus ToStatus() => new(
        GrpcStatusCode.DeadlineExceeded,
        string.Create(CultureInfo.InvariantCulture, $"the call did not end within {_length.TotalSeconds:0.###} s"));

    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        // Timers may fire a little early: for a deadline within one timer's reach, its firing is the deadline.
        var remaining = Remaining;
        if (_length > s_longestTimer && remaining > TimeSpan.Zero)
        {
            _timer.Change(remaining < s_longestTimer ? remaining : s_longestTimer, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _end(ToStatus());
        }
    }
}
