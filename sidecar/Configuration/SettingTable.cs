namespace Genkit.Sidecar.Configuration;

/// <summary>All settings. Each is declared once, in the table of its group: the parser, the help and the docs are made from there.</summary>
internal static class SettingTable
{
    /// <summary>In the order of the help and of the docs, the most used first.</summary>
    public static readonly IReadOnlyList<SettingGroup> Groups =
    [
        ApplicationSettingTable.Group,
        ManagerSettingTable.Group,
        RuntimeSettingTable.Group,
        ReflectionV1SettingTable.Group,
        FlowServerSettingTable.Group,
        LoggingSettingTable.Group,
        ProcessSettingTable.Group,
        LimitSettingTable.Group,
        HealthSettingTable.Group,
        TelemetrySettingTable.Group,
        OtlpSettingTable.Group,
    ];

    public static readonly IReadOnlyList<Setting> All = [.. Groups.SelectMany(group => group.Settings)];
}
