using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Genkit.Sidecar.Supervision;

/// <summary>The system calls that .NET has no name for.</summary>
internal static partial class Posix
{
    public const int SignalHangup = 1;
    public const int SignalInterrupt = 2;
    public const int SignalQuit = 3;
    public const int SignalKill = 9;
    public const int SignalPipe = 13;
    public const int SignalTerminate = 15;

    public const int DefaultAction = 0;
    public const int IgnoreAction = 1;

    public const int NoSuchFile = 2;
    public const int NoSuchProcess = 3;
    public const int NotADirectory = 20;
    public const int Interrupted = 4;

    public const int OpenReadWrite = 2;

    public const nuint GetTerminalSize = 0x5413;
    public const nuint SetTerminalSize = 0x5414;

    public const int ParentDeathSignal = 1;

    public static int OpenNoControllingTerminal => OperatingSystem.IsMacOS() ? 0x20000 : 0x100;

    public static int OpenCloseOnExecute => OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    public static int SignalContinue => OperatingSystem.IsMacOS() ? 19 : 18;

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int ProcessControl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int ParentProcess();

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "setpgid", SetLastError = true)]
    public static partial int SetProcessGroup(int process, int group);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    public static partial nint SetSignalAction(int signal, nint action);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "isatty")]
    public static partial int IsTerminal(int descriptor);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle descriptor, [Out] byte[] buffer, nuint count);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    public static partial int OpenTerminal(int flags);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    public static partial int GrantTerminal(SafeFileHandle terminal);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    public static partial int UnlockTerminal(SafeFileHandle terminal);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    public static partial int TerminalName(SafeFileHandle terminal, [Out] byte[] name, nuint size);

    /// <summary>Rows and columns, then the same in pixels, or zeros.</summary>
    /// <remarks>Linux alone: elsewhere functions with a variable number of arguments take them in another way than this passes them.</remarks>
    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int TerminalSize(int descriptor, nuint request, [In, Out] ushort[] size);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    public static partial int Duplicate(int descriptor, int onto);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "unsetenv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UnsetVariable(string name);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Execute(string file, nint[] arguments);
}
