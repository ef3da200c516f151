using Genkit.Sidecar.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Genkit.Sidecar.Cli;

/// <summary>Where log lines go: all of them to stderr, for stdout belongs to the command and to the answers of verbs.</summary>
internal static class LogOutput
{
    public static ILoggerFactory Create(SidecarSettings settings) => LoggerFactory.Create(builder => Configure(builder, settings));

    public static void Configure(ILoggingBuilder builder, SidecarSettings settings)
    {
        builder.SetMinimumLevel(settings.LogLevel);

        // The host's own news, such as its content root, is none to an operator.
        builder.AddFilter("Microsoft", settings.LogLevel > LogLevel.Warning ? settings.LogLevel : LogLevel.Warning);

        // Nor is each connection over the limit of the health listener, which any neighbour could fill the log with.
        builder.AddFilter("Microsoft.AspNetCore.Server.Kestrel", settings.LogLevel > LogLevel.Error ? settings.LogLevel : LogLevel.Error);
        builder.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (settings.LogFormat == LogFormat.Json)
        {
            builder.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
            builder.Services.AddSingleton<ConsoleFormatter>(services => new JsonLogLine(services));
            builder.AddConsole(console => console.FormatterName = JsonLogLine.FormatName);
        }
        else
        {
            builder.Services.AddSingleton<ConsoleFormatter>(new LogLine(TimeProvider.System));
            builder.AddConsole(console => console.FormatterName = LogLine.FormatName);
        }
    }
}
