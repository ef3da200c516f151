using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Supervision;

internal sealed partial class ApplicationProcess
{
    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Started {Command} as process {Process}. It should serve gRPC at {ListenAddress}", EventName = "ApplicationProcessStarted")]
        public static partial void Started(ILogger logger, string command, int process, string listenAddress);

        [LoggerMessage(LogLevel.Information, "This system does not end process {Process} if the sidecar is killed", EventName = "ApplicationProcessNotTied")]
        public static partial void OutlivesKill(ILogger logger, int process);

        [LoggerMessage(LogLevel.Information, "Windows has no signals: a stop waits {Seconds} s for process {Process} to end by itself, and then kills it with its children", EventName = "ApplicationProcessNotSignalled")]
        public static partial void NotSignalled(ILogger logger, double seconds, int process);

        [LoggerMessage(LogLevel.Information, "The command's own spans go where {Variables} in the environment says, and not into Genkit's traces", EventName = "ApplicationSpansExportedElsewhere")]
        public static partial void SpansGoElsewhere(ILogger logger, string variables);

        [LoggerMessage(LogLevel.Information, "Process {Process} exited with code {Code}", EventName = "ApplicationProcessExited")]
        public static partial void Exited(ILogger logger, int process, int code);

        [LoggerMessage(LogLevel.Warning, "Process {Process} is still there {Seconds} s after it was asked to stop, and is killed", EventName = "ApplicationProcessKilled")]
        public static partial void Killed(ILogger logger, int process, double seconds);

        [LoggerMessage(LogLevel.Error, "Cannot run {Command}: {Reason}", EventName = "ApplicationProcessStartFailed")]
        public static partial void NotStarted(ILogger logger, string command, string reason);
    }
}
