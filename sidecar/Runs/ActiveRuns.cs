using System.Collections.Concurrent;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Telemetry;
using Grpc.Core;

namespace Genkit.Sidecar.Runs;

/// <summary>The runs of one runtime, by trace id. The only place where a run begins and where it is cancelled.</summary>
/// <param name="application">What runs them.</param>
/// <param name="limits">Bounds of each and of all.</param>
/// <param name="metrics">Where they are counted.</param>
/// <param name="tracer">Where they are traced; null for nowhere.</param>
/// <param name="time">Clock and timers.</param>
/// <param name="logger">Of runs too.</param>
internal sealed partial class ActiveRuns(
    ApplicationClient application, LimitSettings limits, RunMetrics metrics, Tracer? tracer, TimeProvider time, ILogger<ActiveRuns> logger)
{
    private readonly ConcurrentDictionary<string, (ActionRun Run, Task Execution)> _runs = new();
    private readonly Lock _gate = new();
    private int _count;
    private bool _isDraining;

    /// <summary>Raised when the last active run has ended, on its thread.</summary>
    public event Action? BecameIdle;

    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// Starts a run. Returns once the run can be cancelled and fed, before the application has answered; what it says comes
    /// through the outbox.
    /// </summary>
    public ActionRun Start(RunRequest request)
    {
        var run = new ActionRun(request, limits, metrics, tracer, time, logger);
        var execution = new TaskCompletionSource();
        if (Enter(run, execution.Task) is { } refusal)
        {
            Refuse(run, request, refusal);
            return run;
        }

        _ = ExecuteAsync(run, execution);
        return run;
    }

    /// <summary>Cancels the run of a trace. False if there is none, or it has ended.</summary>
    /// <param name="traceId">The trace.</param>
    /// <param name="beforeItEnds">Called if the run is cancelled, before its last event is posted.</param>
    public bool TryCancel(string traceId, Action? beforeItEnds = null) =>
        _runs.TryGetValue(traceId, out var active) && active.Run.TryFail(ActionFailure.Cancelled, beforeItEnds);

    /// <summary>Starts no more runs and lets the active ones end, for <paramref name="timeout"/> at most.</summary>
    public async Task DrainAsync(TimeSpan timeout)
    {
        ICollection<(ActionRun Run, Task Execution)> active;
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

    /// <summary>Cancels all runs and waits until their calls are closed and their last events are posted.</summary>
    public async Task StopAsync()
    {
        var active = _runs.Values;
        foreach (var (run, _) in active)
        {
            run.TryFail(ActionFailure.Cancelled);
        }

        var ending = Task.WhenAll(active.Select(entry => entry.Execution));
        if (tracer is not null && !ending.IsCompleted)
        {
            // Those that had ended before may wait longer for their traces than those that were cancelled.
            await Task.WhenAny(ending, Task.Delay(tracer.CancelledWait, time));
            tracer.StopWaiting();
        }

        await ending;
    }

    /// <summary>Ends a run that is not to be executed. It counts as active only for callers that wait for the last events.</summary>
    private void Refuse(ActionRun run, RunRequest request, ActionFailure failure)
    {
        request.Owner?.Dispose();
        run.TryFail(failure);
        if (!run.LastWord.IsCompleted)
        {
            _runs[run.TraceId] = (run, run.LastWord);
            _ = ForgetAsync(run);
        }
    }

    private async Task ForgetAsync(ActionRun run)
    {
        await run.LastWord;
        _runs.TryRemove(run.TraceId, out _);
    }

    /// <summary>Enters a run before it executes, so that one that ends at once is there to be removed. Gives the reason if it may not start.</summary>
    private ActionFailure? Enter(ActionRun run, Task execution)
    {
        // No run may slip in behind a drain that has counted them.
        lock (_gate)
        {
            if (_isDraining)
            {
                return new ActionFailure(StatusCode.Unavailable, "The sidecar is stopping and starts no more runs");
            }

            if (Interlocked.Increment(ref _count) > limits.MaxConcurrentRuns && IsFull())
            {
                Interlocked.Decrement(ref _count);
                return new ActionFailure(
                    StatusCode.ResourceExhausted, $"{limits.MaxConcurrentRuns} runs are active, as many as --max-concurrent-runs allows");
            }

            _runs[run.TraceId] = (run, execution);
            return null;
        }
    }

    /// <summary>A run whose answer may have been heard does not count, even if its call is not closed yet.</summary>
    private bool IsFull() => _runs.Values.Count(active => !active.Run.HasEnded) >= limits.MaxConcurrentRuns;

    private async Task ExecuteAsync(ActionRun run, TaskCompletionSource execution)
    {
        try
        {
            await run.ExecuteAsync(application);
        }
        finally
        {
            _runs.TryRemove(run.TraceId, out _);
            var left = Interlocked.Decrement(ref _count);
            execution.SetResult();
            if (left == 0)
            {
                BecameIdle?.Invoke();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Stopping: {Count} runs may go on for {Seconds:0.###} s (--drain-timeout)", EventName = "RunsDraining")]
        public static partial void Draining(ILogger logger, int count, double seconds);

        [LoggerMessage(LogLevel.Warning, "{Count} runs are cancelled: they have not ended in the time that --drain-timeout gives", EventName = "DrainTimedOut")]
        public static partial void DrainedNot(ILogger logger, int count);
    }
}
