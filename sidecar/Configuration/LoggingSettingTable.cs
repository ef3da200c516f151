namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="LoggingSettings"/>.</summary>
internal static class LoggingSettingTable
{
    public static readonly SettingGroup<LoggingSettings> Group = new("Log");

    public static readonly Setting LogLevel = Group.Add(
        "log-level",
        SettingValue.Single("LEVEL", "trace, debug, information, warning, error, critical or none", Choice.LogLevelNamed),
        (settings, value) => settings with { Level = value },
        byDefault: "information",
        description: "Least level that is logged, to stderr; payloads and credentials are at none",
        reason: "connects, disconnects and what needs attention");

    public static readonly Setting LogFormat = Group.Add(
        "log-format",
        SettingValue.Single("FORMAT", "text or json", Choice.LogFormatNamed),
        (settings, value) => settings with { Format = value },
        byDefault: "text",
        description: "How a log line looks",
        reason: "the sidecar is started at a terminal first");
}
