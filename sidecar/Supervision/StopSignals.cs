using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Genkit.Sidecar.Supervision;

/// <summary>The signals that ask the sidecar to end, as tasks: the first one asks, the second one insists, unless it is SIGHUP or comes along with the first.</summary>
internal sealed class StopSignals : IDisposable
{
    /// <summary>
    /// A signal this soon belongs to the same request: <c>timeout</c> signals the process and then its group, and a person does not press Ctrl-C twice in
    /// that time.
    /// </summary>
    private static readonly TimeSpan s_sameRequest = TimeSpan.FromMilliseconds(200);

    /// <summary>Keeps the registrations of a stopping process, because an unreferenced registration is removed.</summary>
    private static StopSignals? s_ending;

    private readonly TaskCompletionSource<int> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;
    private long _firstAt;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Take(context, Posix.SignalInterrupt)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Take(context, Posix.SignalTerminate)),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Take(context, Posix.SignalHangup)),
    ];

    public Task<int> First => _first.Task;

    public Task<int> Second => _second.Task;

    /// <summary>Gives the signals back, unless one was taken: the process that ends for it has an exit code of its own, which a late one must not replace.</summary>
    public void Dispose()
    {
        if (_first.Task.IsCompleted)
        {
            s_ending = this;
            return;
        }

        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Take(PosixSignalContext context, int signal)
    {
        context.Cancel = true;

        var now = Stopwatch.GetTimestamp();
        var firstAt = Interlocked.CompareExchange(ref _firstAt, now, 0);
        if (firstAt == 0)
        {
            _first.TrySetResult(signal);
        }
        else if (signal != Posix.SignalHangup && Stopwatch.GetElapsedTime(firstAt, now) > s_sameRequest)
        {
            // Not SIGHUP: a terminal that goes away hangs up, often more than once and right behind a Ctrl-C. That is no hurry.
            _second.TrySetResult(signal);
        }
    }
}
