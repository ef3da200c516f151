namespace Genkit.Sidecar.Telemetry;

/// <summary>
/// Whether to say what is wrong: when it begins, and then not until it has been over and a minute has passed, for a server may fail and recover with every
/// request. Not for use by two threads at once.
/// </summary>
internal sealed class Complaint(TimeProvider time)
{
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(1);

    private long? _saidAt;

    /// <summary>Whether the present failure was logged.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Returns whether to log it now.</summary>
    public bool TryOpen()
    {
        if (IsOpen || (_saidAt is { } saidAt && time.GetElapsedTime(saidAt) < s_silence))
        {
            return false;
        }

        _saidAt = time.GetTimestamp();
        IsOpen = true;
        return true;
    }

    /// <summary>It is over.</summary>
    public void Close() => IsOpen = false;
}
