namespace Genkit.Sidecar.Supervision;

/// <summary>
/// Ends this process by the signal that its exit code stands for. A shell sees no difference, but the Genkit CLI does: it takes
/// an application that a signal ended for stopped, and one that exited with 143 for failed.
/// </summary>
internal static class SignalDeath
{
    /// <summary>Returns only when the code stands for none, or when this is process 1, which such signals do not end.</summary>
    public static void For(int exitCode)
    {
        var signal = exitCode - 128;
        if (OperatingSystem.IsWindows() || signal is not (Posix.SignalHangup or Posix.SignalInterrupt or Posix.SignalTerminate))
        {
            return;
        }

        RemoveDebuggerFiles();
        _ = Posix.SetSignalAction(signal, Posix.DefaultAction);
        _ = Posix.Kill(Environment.ProcessId, signal);
    }

    // The runtime removes its socket and its pipes when it shuts down in order, which it does not get to here.
    private static void RemoveDebuggerFiles()
    {
        try
        {
            foreach (var path in ((string[])["dotnet-diagnostic", "clr-debug-pipe"])
                .SelectMany(name => Directory.EnumerateFiles(Path.GetTempPath(), $"{name}-{Environment.ProcessId}-*")))
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One file more in a temporary directory must not change how the process ends.
        }
    }
}
