namespace Genkit.Sidecar.Health;

/// <summary>State of the connection to the manager, for health checks. Written by the connection loop only.</summary>
internal sealed class ManagerStatus
{
    private volatile State _state = new(false, "not connected yet");
    private volatile bool _hasStarted;
    private volatile bool _hasEnded;

    /// <summary>Whether the loop that keeps the connection has begun. Stays so.</summary>
    public bool HasStarted => _hasStarted;

    /// <summary>Whether that loop has ended, which it does when the sidecar stops and should not otherwise.</summary>
    public bool HasEnded => _hasEnded;

    public bool IsRegistered => _state.IsRegistered;

    /// <summary>Where and since when it is registered, or why it is not.</summary>
    public string Reason => _state.Reason;

    public void LoopStarted() => _hasStarted = true;

    public void LoopEnded() => _hasEnded = true;

    public void Registered(string reason) => _state = new(true, reason);

    public void Away(string reason) => _state = new(false, reason);

    private sealed record State(bool IsRegistered, string Reason);
}
