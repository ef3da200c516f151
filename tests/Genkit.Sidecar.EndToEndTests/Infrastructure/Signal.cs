using System.Runtime.InteropServices;

namespace Genkit.Sidecar.EndToEndTests.Infrastructure;

internal sealed class Signal
{
    private readonly int _number;

    private Signal(int number) => _number = number;

    public static Signal Interrupt { get; } = new(2);

    public static Signal Kill { get; } = new(9);

    public static Signal Terminate { get; } = new(15);

    /// <summary>Suspends a process, which keeps its connections open and sends nothing.</summary>
    public static Signal Stop { get; } = new(19);

    /// <summary>Sends the signal. Does nothing if the process has exited.</summary>
    public void Send(int processId) => _ = kill(processId, _number);

#pragma warning disable CA5392, IDE1006, SYSLIB1054 // A system call: its name and its library are the system's own.
    [DllImport("libc")]
    private static extern int kill(int pid, int sig);
#pragma warning restore CA5392, IDE1006, SYSLIB1054
}
