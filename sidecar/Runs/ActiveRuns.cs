using System.Collections.Concurrent;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Metrics;

namespace Genkit.Sidecar.Runs;

/// <summary>The runs of one runtime, by trace id. The only place where a run begins and where it is cancelled.</summary>
internal sealed partial class ActiveRuns(GrpcApplication application, RunLimits limits, RunMetrics metrics, TimeProvider time, ILogger<ActiveRuns> logger)
{
    private readonly ConcurrentDictionary<string, (Run Run, Task Execution)> _runs = new();
    private readonly Lock _gate = new();
    private int _count;
    private bool _isDraining;

    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// Starts a run. Returns once the run can be cancelled and fed, before the application has answered; what it says comes
    /// through the outbox.
    /// </summary>
    public Run Start(RunRequest request)
    {
        var run = new Run(request, limits, metrics, time, logger);
        var execution = new TaskCompletionSource();
        if (Enter(run, execution.Task) is { } refusal)
        {
            request.Owner?.Dispose();
            run.TryFail(refusal);
            return run;
        }

        _ = ExecuteAsync(run, execution);
        return run;
    }

    /// <summary>Cancels the run of a trace. False if there is none, or it has ended.</summary>
    /// <param name="traceId">The trace.</param>
    /// <param name="beforeItEnds">Called if the run is cancelled, before its outbox says so.</param>
    public bool TryCancel(string traceId, Action beforeItEnds) =>
        _runs.TryGetValue(traceId, out var active) && active.Run.TryFail(ActionFailure.Cancelled, beforeItEnds);

    /// <summary>Starts no more runs and lets the active ones end, for <paramref name="timeout"/> at most.</summary>
    public async Task DrainAsync(TimeSpan timeout)
    {
        ICollection<(Run Run, Task Execution)> active;
        lock (_gate)
        {
            _isDraining = true;
            active = _runs.Values;
        }

        if (active.Count == 0 || timeout == TimeSpan.Zero)
        {
            return;
        }

        Log.Draining(logger, active.Count, timeout.TotalSeconds);
        try
        {
            await Task.WhenAll(active.Select(entry => entry.Execution)).WaitAsync(timeout, time);
        }
        catch (TimeoutException)
        {
            Log.DrainedNot(logger, Count);
        }
    }

    /// <summary>Cancels every run and waits until their calls are closed.</summary>
    public async Task StopAsync()
    {
        var active = _runs.Values;
        foreach (var (run, _) in active)
        {
            run.TryFail(ActionFailure.Cancelled);
        }

        await Task.WhenAll(active.Select(entry => entry.Execution));
    }

    /// <summary>Enters a run before it executes, so that one that ends at once is there to be removed. Gives the reason if it may not start.</summary>
    private ActionFailure? Enter(Run run, Task execution)
    {
        // No run may slip in behind a drain that has counted them.
        lock (_gate)
        {
            if (_isDraining)
            {
                return new ActionFailure(GrpcStatusCode.Unavailable, "The sidecar is stopping and starts no more runs");
            }

            if (Interlocked.Increment(ref _count) > limits.MaxConcurrentRuns && IsFull())
            {
                Interlocked.Decrement(ref _count);
                return new ActionFailure(
                    GrpcStatusCode.ResourceExhausted, $"{limits.MaxConcurrentRuns} runs are active, as many as --max-concurrent-runs allows");
            }

            _runs[run.TraceId] = (run, execution);
            return null;
        }
    }

    /// <summary>A run whose answer may have been heard does not count, even if its call is not closed yet.</summary>
    private bool IsFull() => _runs.Values.Count(active => !active.Run.HasEnded) >= limits.MaxConcurrentRuns;

    private async Task ExecuteAsync(Run run, TaskCompletionSource execution)
    {
        try
        {
            await run.ExecuteAsync(application);
        }
        finally
        {
            _runs.TryRemove(run.TraceId, out _);
            Interlocked.Decrement(ref _count);
            execution.SetResult();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Stopping: {Count} runs may go on for {Seconds:0.###} s (--drain-timeout)")]
        public static partial void Draining(ILogger logger, int count, double seconds);

        [LoggerMessage(LogLevel.Warning, "{Count} runs are cancelled: they have not ended in the time that --drain-timeout gives")]
        public static partial void DrainedNot(ILogger logger, int count);
    }
}
