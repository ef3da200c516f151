namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// Whether a server is worth asking. Open after a failure: then one request at a time goes out as a probe, after a pause that doubles with
/// each that fails. Not for use by two threads at once.
/// </summary>
internal sealed class CircuitBreaker(TimeProvider time)
{
    /// <summary>A server that is being restarted is away for about a second.</summary>
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(500);

    /// <summary>One small request in that time is no load for anybody, and a server that returns is soon found.</summary>
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(10);

    private TimeSpan _pause;
    private long _since;

    public bool IsOpen { get; private set; }

    /// <summary>Time until the next probe may go out; zero or less for now.</summary>
    public TimeSpan UntilProbe => IsOpen ? _pause - time.GetElapsedTime(_since) : TimeSpan.Zero;

    /// <summary>A request failed.</summary>
    public void Failed()
    {
        _pause = _pause == TimeSpan.Zero ? s_firstPause : TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, s_longestPause.Ticks));
        _since = time.GetTimestamp();
        IsOpen = true;
    }

    /// <summary>A request takes too long to be waited for. It may succeed yet, and then the next one goes out at once.</summary>
    public void Slow() => IsOpen = true;

    public void Close()
    {
        IsOpen = false;
        _pause = TimeSpan.Zero;
    }
}
