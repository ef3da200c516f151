namespace Genkit.Sidecar.Supervision;

/// <summary>The standard streams that a command inherits.</summary>
internal static class StandardStreams
{
    private const int Output = 1;
    private const int Error = 2;

    /// <summary>Opens the terminal that stdout is, or else the one that stderr is.</summary>
    public static Stream OpenTerminal() => Console.IsOutputRedirected ? Console.OpenStandardError() : Console.OpenStandardOutput();

    /// <summary>
    /// What a command writes to its stdout goes to stderr from now on. A stream that was opened on our stdout before keeps it, for .NET
    /// opens those on descriptors of their own.
    /// </summary>
    public static void SendOutputToError()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = Posix.Duplicate(Error, Output);
        }
    }
}
