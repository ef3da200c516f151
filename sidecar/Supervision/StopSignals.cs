using System.Runtime.InteropServices;

namespace Genkit.Sidecar.Supervision;

/// <summary>The signals that ask the sidecar to end, as tasks: the first one asks, the second one insists, unless it is SIGHUP.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource<int> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Take(context, Posix.SignalInterrupt)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Take(context, Posix.SignalTerminate)),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Take(context, Posix.SignalHangup)),
    ];

    public Task<int> First => _first.Task;

    public Task<int> Second => _second.Task;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Take(PosixSignalContext context, int signal)
    {
        context.Cancel = true;

        // A terminal that goes away hangs up, often more than once and right behind a Ctrl-C: that is no hurry.
        if (!_first.TrySetResult(signal) && signal != Posix.SignalHangup)
        {
            _second.TrySetResult(signal);
        }
    }
}
