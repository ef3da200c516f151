namespace Genkit.Sidecar.Health;

/// <summary>
/// Whether the application answers now. Everybody who asks at a time shares one call, and its outcome counts for a second, so that
/// no number of probes is a load on the application.
/// </summary>
/// <param name="ask">Asks the application; gives why it does not answer, or null.</param>
/// <param name="time">Measures how old an outcome is.</param>
internal sealed class ApplicationProbe(Func<CancellationToken, Task<string?>> ask, TimeProvider time)
{
    /// <summary>Less than the 2 s that <c>genkit-sidecar health</c> waits, so that a hanging application differs from a hanging sidecar.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(1.5);

    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<string?>? _latest;
    private long _endedAt;

    /// <summary>Whether the application answered when it was last asked.</summary>
    public bool Answered { get; private set; }

    /// <summary>Gives null if the application answers, else the reason why it does not. Takes <see cref="Limit"/> at most.</summary>
    public Task<string?> AskAsync()
    {
        lock (_gate)
        {
            if (_latest is null || (_latest.IsCompleted && time.GetElapsedTime(_endedAt) >= Freshness))
            {
                _latest = AskOnceAsync();
            }

            return _latest;
        }
    }

    private async Task<string?> AskOnceAsync()
    {
        using var limit = new CancellationTokenSource(Limit, time);
        string? reason;
        try
        {
            reason = await ask(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            reason = $"no answer to ListActions within {Limit.TotalSeconds:0.#} s";
        }

        Answered = reason is null;
        _endedAt = time.GetTimestamp();
        return reason;
    }
}
