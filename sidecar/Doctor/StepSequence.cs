namespace Genkit.Sidecar.Doctor;

/// <summary>
/// Steps each of which needs the one before: where one fails, the rest is skipped. Each has a deadline, for a peer that accepts
/// and never speaks must not keep anybody waiting; all sequences of an examination share one more.
/// </summary>
internal sealed class StepSequence(Action<Step> examined, TimeBudget budget, TimeProvider time)
{
    /// <summary>Why the steps that follow are skipped; null while they are not.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>Has the steps that follow skipped, for this reason, unless there is one already.</summary>
    public void Block(string reason) => Obstacle ??= reason;

    /// <summary>Examines one step, or skips it.</summary>
    /// <param name="name">One of <see cref="StepName"/>.</param>
    /// <param name="tried">What is about to be tried.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="examine">Tries it.</param>
    /// <param name="silence">What to do where nothing comes back in time.</param>
    /// <param name="stop">Ends the examination.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public async Task ExamineAsync(
        string name,
        string tried,
        TimeSpan limit,
        Func<CancellationToken, Task<Finding>> examine,
        IReadOnlyList<string> silence,
        CancellationToken stop)
    {
        if (Obstacle is not null)
        {
            Tell(name, tried, Finding.Skipped(Obstacle), TimeSpan.Zero);
            return;
        }

        var start = time.GetTimestamp();
        var finding = await BoundedAsync(limit, examine, silence, stop);
        var took = time.GetElapsedTime(start);
        budget.Spend(took);
        Tell(name, tried, finding, took);
    }

    private async Task<Finding> BoundedAsync(
        TimeSpan limit, Func<CancellationToken, Task<Finding>> examine, IReadOnlyList<string> silence, CancellationToken stop)
    {
        var isCutShort = budget.Left < limit;
        using var timeout = new CancellationTokenSource(isCutShort ? budget.Left : limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        try
        {
            // A look-up of a name, or a file on a disk that does not answer, cannot be cancelled, only left behind.
            return await Task.Run(() => examine(either.Token), either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return Finding.Failed(
                isCutShort ? $"nothing came back within the {Limits.Total.TotalSeconds:0} s that all steps have together" : $"nothing came back within {limit.TotalSeconds:0.#} s",
                silence);
        }
    }

    private void Tell(string name, string tried, Finding finding, TimeSpan took)
    {
        if (finding.Status == StepStatus.Failed)
        {
            Block($"{name} failed");
        }

        examined(new Step(name, tried, finding, took));
    }
}

/// <summary>How long the whole of an examination may still take.</summary>
internal sealed class TimeBudget(TimeSpan total)
{
    public TimeSpan Left { get; private set; } = total;

    public void Spend(TimeSpan took) => Left = took < Left ? Left - took : TimeSpan.Zero;
}
