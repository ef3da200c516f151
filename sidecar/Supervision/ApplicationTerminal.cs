using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Genkit.Sidecar.Supervision;

/// <summary>
/// A pseudo terminal that the command writes to in place of ours, so that its lines get a prefix. It is a terminal to the command, too: programs
/// buffer by lines and use colour only on one, which they would not on a pipe.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed class ApplicationTerminal : IDisposable
{
    // Something that the command left behind may keep the terminal open for ever.
    private static readonly TimeSpan s_drainLimit = TimeSpan.FromMilliseconds(500);

    private readonly SafeFileHandle _control;
    private readonly SafeFileHandle _line;
    private readonly Thread _copying;

    private ApplicationTerminal(SafeFileHandle control, SafeFileHandle line, string path, Stream destination)
    {
        _control = control;
        _line = line;
        Path = path;
        _copying = new Thread(() => Copy(new PrefixedLines(destination))) { IsBackground = true, Name = "application output" };
        _copying.Start();
    }

    /// <summary>Names the device that the command opens.</summary>
    public string Path { get; }

    /// <summary>Opens one, whose output goes to <paramref name="destination"/>. Null if the system gives none.</summary>
    public static ApplicationTerminal? TryOpen(Stream destination)
    {
        var flags = Posix.OpenReadWrite | Posix.OpenNoControllingTerminal | Posix.OpenCloseOnExecute;
        var control = new SafeFileHandle(Posix.OpenTerminal(flags), ownsHandle: true);
        var name = new byte[128];
        if (control.IsInvalid
            || Posix.GrantTerminal(control) != 0
            || Posix.UnlockTerminal(control) != 0
            || Posix.TerminalName(control, name, (nuint)name.Length) != 0)
        {
            control.Dispose();
            return null;
        }

        // Held open until the command has ended: the output ends when the last of those who have it open closes it.
        var path = Encoding.UTF8.GetString(name.AsSpan(0, name.AsSpan().IndexOf((byte)0)));
        var line = new SafeFileHandle(Posix.Open(path, flags), ownsHandle: true);
        if (line.IsInvalid)
        {
            control.Dispose();
            line.Dispose();
            return null;
        }

        if (OperatingSystem.IsLinux())
        {
            SetSize((int)line.DangerousGetHandle());
        }

        return new(control, line, path, destination);
    }

    /// <summary>Waits for the last lines, after the command has ended.</summary>
    public void Drain()
    {
        _line.Dispose();
        _copying.Join(s_drainLimit);
    }

    public void Dispose()
    {
        Drain();
        _control.Dispose();
    }

    /// <summary>As wide as ours without the prefix. A later change of ours is not passed on.</summary>
    [SupportedOSPlatform("linux")]
    private static void SetSize(int terminal)
    {
        const int Error = 2;
        var size = new ushort[4];
        if (Posix.TerminalSize(Error, Posix.GetTerminalSize, size) == 0 && size[1] > PrefixedLines.PrefixWidth)
        {
            size[1] -= PrefixedLines.PrefixWidth;
            _ = Posix.TerminalSize(terminal, Posix.SetTerminalSize, size);
        }
    }

    private void Copy(PrefixedLines lines)
    {
        var buffer = new byte[4096];
        try
        {
            while (Posix.Read(_control, buffer, (nuint)buffer.Length) is var count and (> 0 or -1))
            {
                if (count > 0)
                {
                    lines.Write(buffer.AsSpan(0, (int)count));
                }
                else if (Marshal.GetLastPInvokeError() != Posix.Interrupted)
                {
                    // On Linux the end is an input/output error.
                    break;
                }
            }

            lines.End();
        }
        catch (ObjectDisposedException)
        {
            // The sidecar ends, and something that the command left behind has the terminal still open.
        }
    }
}
