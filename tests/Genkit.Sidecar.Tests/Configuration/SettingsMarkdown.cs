using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

/// <summary>The table of settings as Markdown.</summary>
internal static class SettingsMarkdown
{
    public static readonly IReadOnlyList<string> Head =
    [
        "| Flag | Environment | Default | What it does | Why that default |",
        "|---|---|---|---|---|",
    ];

    public static IEnumerable<string> Rows() => SettingTable.All.Select(setting =>
        $"| `{setting.Flag} {setting.Placeholder}` | `{setting.EnvironmentVariable}` | {Default(setting)} | {setting.Description} | {setting.Reason} |");

    private static string Default(Setting setting) => setting.Default is null ? setting.DefaultNote : $"`{setting.Default}`";
}
