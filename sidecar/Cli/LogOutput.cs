using Genkit.Sidecar.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Genkit.Sidecar.Cli;

/// <summary>Where log lines go: all of them to stderr, for stdout belongs to the command and to the answers of verbs.</summary>
internal static class LogOutput
{
    public static ILoggerFactory Create(LoggingSettings settings, bool hasColor) => LoggerFactory.Create(builder => Configure(builder, settings, hasColor));

    public static void Configure(ILoggingBuilder builder, LoggingSettings settings, bool hasColor)
    {
        builder.SetMinimumLevel(settings.Level);

        // The host's own news, such as its content root, is none to an operator.
        builder.AddFilter("Microsoft", settings.Level > LogLevel.Warning ? settings.Level : LogLevel.Warning);

        // Nor is each connection over the limit of the health listener, which any neighbour could fill the log with.
        builder.AddFilter("Microsoft.AspNetCore.Server.Kestrel", settings.Level > LogLevel.Error ? settings.Level : LogLevel.Error);
        builder.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (settings.Format == LogFormat.Json)
        {
            builder.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
            builder.Services.AddSingleton<ConsoleFormatter>(services => new JsonLogLine(services));
            builder.AddConsole(console => console.FormatterName = JsonLogLine.FormatName);
        }
        else
        {
            builder.Services.AddSingleton<ConsoleFormatter>(new LogLine(TimeProvider.System, hasColor));
            builder.AddConsole(console => console.FormatterName = LogLine.FormatName);
        }
    }
}
