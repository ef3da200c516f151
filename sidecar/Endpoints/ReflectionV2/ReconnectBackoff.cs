namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// How long to wait before the next attempt to reach the manager. A CLI that is restarted comes back within seconds, so the
/// first minute after a loss keeps the short interval; after it the interval doubles up to the maximum, and never ends.
/// </summary>
/// <param name="interval">Interval in the first minute.</param>
/// <param name="maxInterval">Interval in the end.</param>
/// <param name="jitter">Gives numbers from 0 up to 1, so that many sidecars do not come at once.</param>
internal sealed class ReconnectBackoff(TimeSpan interval, TimeSpan maxInterval, Func<double> jitter)
{
    private const double JitterShare = 0.2;
    private static readonly TimeSpan s_eagerPeriod = TimeSpan.FromMinutes(1);

    private int _doublings;

    /// <summary>Gives the delay before the next attempt.</summary>
    /// <param name="sinceLoss">Time since the manager was last there, or since the start.</param>
    public TimeSpan NextDelay(TimeSpan sinceLoss)
    {
        if (sinceLoss >= s_eagerPeriod && Interval < maxInterval)
        {
            _doublings++;
        }

        return Interval * (1 + (JitterShare * ((2 * jitter()) - 1)));
    }

    /// <summary>Begins anew, after a connection that lasted.</summary>
    public void Reset() => _doublings = 0;

    private TimeSpan Interval => TimeSpan.FromTicks(Math.Min(interval.Ticks << _doublings, maxInterval.Ticks));
}
