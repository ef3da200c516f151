using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Genkit.Sidecar.Supervision;

/// <summary>
/// The short life between fork and exec, which .NET gives no access to: the sidecar starts itself as <c>__exec</c>, makes the
/// arrangements that only the process itself can make, and then becomes the command. Never returns when that succeeds.
/// </summary>
internal static class Launcher
{
    public const string Verb = "__exec";

    private const string EndOfVariables = "--";

    /// <param name="parent">Process id of the parent. The launcher exits if its parent is another process by then.</param>
    /// <param name="terminal">The terminal that the command writes to in place of ours; null for ours.</param>
    /// <param name="variables">Variables that were meant for the launcher alone.</param>
    /// <param name="command">Name and arguments of the command.</param>
    public static IEnumerable<string> Arguments(int parent, string? terminal, IEnumerable<string> variables, IEnumerable<string> command) =>
        [Verb, parent.ToString(CultureInfo.InvariantCulture), terminal ?? "", .. variables, EndOfVariables, .. command];

    public static int Run(string[] arguments)
    {
        var end = Array.IndexOf(arguments, EndOfVariables);
        if (OperatingSystem.IsWindows() || end < 3 || end == arguments.Length - 1
            || !int.TryParse(arguments[1], NumberStyles.None, CultureInfo.InvariantCulture, out var parent))
        {
            return ExitCode.Usage;
        }

        // First of all: from here on a signal does what the command expects of it. .NET's own handlers would note it for a
        // runtime that is about to be replaced, and exec would lose it.
        RestoreSignalActions();

        if (OperatingSystem.IsLinux() && Posix.ProcessControl(Posix.ParentDeathSignal, Posix.SignalKill, 0, 0, 0) != 0)
        {
            return Fail(arguments[end + 1], Marshal.GetLastPInvokeError());
        }

        // The parent may have died before the line above, and then no signal comes.
        if (Posix.ParentProcess() != parent)
        {
            return 128 + Posix.SignalKill;
        }

        // After the signals: the parent takes the existence of the group as the news that they arrive.
        _ = Posix.SetProcessGroup(0, 0);
        DetachFromTerminal();
        if (arguments[2].Length > 0)
        {
            WriteTo(arguments[2]);
        }

        foreach (var variable in arguments[3..end])
        {
            _ = Posix.UnsetVariable(variable);
        }

        return Fail(arguments[end + 1], Execute(arguments[(end + 1)..]));
    }

    [UnsupportedOSPlatform("windows")]
    private static void RestoreSignalActions()
    {
        // Every .NET process ignores it, and exec would pass that on.
        _ = Posix.SetSignalAction(Posix.SignalPipe, Posix.DefaultAction);
        foreach (var signal in (ReadOnlySpan<int>)[Posix.SignalHangup, Posix.SignalInterrupt, Posix.SignalQuit, Posix.SignalTerminate])
        {
            // What is ignored on purpose, as under nohup, stays ignored.
            if (Posix.SetSignalAction(signal, Posix.DefaultAction) == Posix.IgnoreAction)
            {
                _ = Posix.SetSignalAction(signal, Posix.IgnoreAction);
            }
        }
    }

    // A process group in the background that reads its terminal is stopped. An empty input is the lesser surprise. Making it the
    // foreground group would be worse: Ctrl-C would then pass by the sidecar, and by the CLI that started it.
    [UnsupportedOSPlatform("windows")]
    private static void DetachFromTerminal()
    {
        const int ReadOnly = 0;
        if (Posix.IsTerminal(0) == 1 && Posix.Open("/dev/null", ReadOnly) is var empty and > 0)
        {
            _ = Posix.Duplicate(empty, 0);
        }
    }

    // Only what goes to a terminal; a pipe or a file stays.
    [UnsupportedOSPlatform("windows")]
    private static void WriteTo(string terminal)
    {
        var descriptor = Posix.Open(terminal, Posix.OpenReadWrite | Posix.OpenNoControllingTerminal | Posix.OpenCloseOnExecute);
        for (var stream = 1; stream <= 2 && descriptor > 0; stream++)
        {
            if (Posix.IsTerminal(stream) == 1)
            {
                _ = Posix.Duplicate(descriptor, stream);
            }
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static int Execute(string[] command)
    {
        var pointers = new nint[command.Length + 1];
        for (var i = 0; i < command.Length; i++)
        {
            pointers[i] = Marshal.StringToCoTaskMemUTF8(command[i]);
        }

        _ = Posix.Execute(command[0], pointers);
        return Marshal.GetLastPInvokeError();
    }

    private static int Fail(string command, int error)
    {
        var notFound = error is Posix.NoSuchFile or Posix.NotADirectory;
        Console.Error.WriteLine($"genkit-sidecar: cannot run \"{command}\": {Marshal.GetPInvokeErrorMessage(error)}");
        return notFound ? ExitCode.CommandNotFound : ExitCode.CommandNotExecutable;
    }
}
