namespace Genkit.Sidecar.Supervision;

/// <summary>What the process says when it ends; <c>--help</c> lists them. A child's own code is passed on as it is.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;

    /// <summary>EX_USAGE of BSD's sysexits: not a code that applications use by chance.</summary>
    public const int Usage = 64;

    public const int CommandNotExecutable = 126;
    public const int CommandNotFound = 127;

    /// <summary>Plus the number of the signal.</summary>
    public const int Signal = 128;
}
