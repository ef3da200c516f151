using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Configuration;

/// <summary>Values that are one word out of a few.</summary>
internal static class Choice
{
    private static readonly Dictionary<string, LogLevel> s_logLevels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["trace"] = LogLevel.Trace,
        ["debug"] = LogLevel.Debug,
        ["information"] = LogLevel.Information,
        ["warning"] = LogLevel.Warning,
        ["error"] = LogLevel.Error,
        ["critical"] = LogLevel.Critical,
        ["none"] = LogLevel.None,
    };

    private static readonly Dictionary<string, LogFormat> s_logFormats = new(StringComparer.OrdinalIgnoreCase)
    {
        ["text"] = LogFormat.Text,
        ["json"] = LogFormat.Json,
    };

    private static readonly Dictionary<string, bool> s_flags = new(StringComparer.OrdinalIgnoreCase)
    {
        ["true"] = true,
        ["false"] = false,
    };

    public static Parsed<bool> Flag(string text) => Named(s_flags, text);

    public static Parsed<LogLevel> LogLevelNamed(string text) => Named(s_logLevels, text);

    public static Parsed<LogFormat> LogFormatNamed(string text) => Named(s_logFormats, text);

    private static Parsed<T> Named<T>(Dictionary<string, T> values, string text) => values.TryGetValue(text, out var value)
        ? Parsed<T>.Good(value)
        : Parsed<T>.Bad($"{QuotedText.Text(text)} is not one of its values{NearestName.Hint(text, values.Keys)}");
}
