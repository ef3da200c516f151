using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Genkit.Sidecar.Cli;

/// <summary>
/// How a log line looks to a person: time, level, who, what. The console logger's own format adds the ids of events, which
/// are hashes here. Exceptions follow on lines of their own.
/// </summary>
internal sealed class LogLine(TimeProvider time, bool hasColor) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "genkit-sidecar";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var who = logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..];
        var what = OneLine(logEntry.Formatter(logEntry.State, logEntry.Exception));
        textWriter.WriteLine($"{time.GetLocalNow():HH:mm:ss.fff} {Shown(logEntry.LogLevel)}: {who}: {what}");
        if (logEntry.Exception is { } exception)
        {
            textWriter.WriteLine(exception);
        }
    }

    /// <summary>Some of a line may be a stranger's, such as a path, and has no business with the terminal.</summary>
    private static string OneLine(string text) => string.Create(text.Length, text, static (line, text) =>
    {
        for (var i = 0; i < line.Length; i++)
        {
            line[i] = text[i] is '\r' or '\n' or '\t' or '\u2028' or '\u2029' ? ' ' : char.IsControl(text[i]) ? '?' : text[i];
        }
    });

    /// <summary>In the colours of ASP.NET Core's own console: green, yellow and red where attention is due.</summary>
    private string Shown(LogLevel level)
    {
        var color = level switch
        {
            LogLevel.Information => "32",
            LogLevel.Warning => "33",
            LogLevel.Error => "31",
            LogLevel.Critical => "1;31",
            _ => "2",
        };
        return hasColor ? $"\e[{color}m{Short(level)}\e[0m" : Short(level);
    }

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
