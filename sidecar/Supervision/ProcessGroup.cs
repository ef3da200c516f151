using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace Genkit.Sidecar.Supervision;

/// <summary>A command and what it started, as far as they stayed together.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class ProcessGroup(int id)
{
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>False when there is no such group.</summary>
    public bool Signal(int signal) => Posix.Kill(-id, signal) == 0;

    /// <summary>Asks every member to end, and kills those that are still there after <paramref name="timeout"/>.</summary>
    public async Task EndAsync(TimeSpan timeout)
    {
        Signal(Posix.SignalTerminate);
        Signal(Posix.SignalContinue);
        for (var watch = Stopwatch.StartNew(); IsAlive(); await Task.Delay(s_pollInterval, TimeProvider.System))
        {
            if (watch.Elapsed >= timeout)
            {
                Signal(Posix.SignalKill);
                return;
            }
        }
    }

    // Members that ended stay in the group until their parent takes note. An init that does not, such as a Node process 1 in a
    // container, must not make us wait for the dead.
    private bool IsAlive() => Signal(0) && (!OperatingSystem.IsLinux() || Directory.EnumerateDirectories("/proc").Any(IsLivingMember));

    private bool IsLivingMember(string directory)
    {
        if (!char.IsAsciiDigit(Path.GetFileName(directory)[0]))
        {
            return false;
        }

        try
        {
            // "pid (name) state parent group …", and the name may contain anything.
            var stat = File.ReadAllText(Path.Combine(directory, "stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 4);
            return fields[0] is not ("Z" or "X") && int.Parse(fields[2], CultureInfo.InvariantCulture) == id;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
