using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

/// <summary>The rows of the tables in docs/settings.md.</summary>
internal static class SettingsMarkdown
{
    public static readonly IReadOnlyList<string> Head =
    [
        "| Flag | Variable | Default | Description | Reason for the default |",
        "|---|---|---|---|---|",
    ];

    public static IEnumerable<string> Rows() => SettingTable.All.Select(setting =>
        $"| `{setting.Flag} {setting.Placeholder}` | `{setting.EnvironmentVariable}` | {Default(setting)} | {setting.Description} | {setting.Reason} |");

    private static string Default(Setting setting) => setting.Default is null ? setting.DefaultNote : $"`{setting.Default}`";
}
