namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="ProcessSettings"/>.</summary>
internal static class ProcessSettingTable
{
    public static readonly SettingGroup<ProcessSettings> Group = new("Process");

    public static readonly OptionSetting<ProcessSettings> Config = Group.Add(
        "config",
        SettingValue.Text("FILE", "the path of a readable JSON file"),
        (settings, value) => settings with { ConfigFile = value },
        isInFile: false,
        description: "JSON file of settings, keyed by flag name without the dashes; comments and trailing commas are fine",
        reason: "everything can be said without a file");

    public static readonly Setting StopTimeout = Group.Add(
        "stop-timeout",
        SettingValue.Duration("0", "10m"),
        (settings, value) => settings with { StopTimeout = value },
        byDefault: "3s",
        description: "How long a stopped command may take to end before it is killed",
        reason: "the sidecar itself then ends within 5 s, half of what container runtimes give it");

    public static readonly Setting DrainTimeout = Group.Add(
        "drain-timeout",
        SettingValue.Duration("0", "10m"),
        (settings, value) => settings with { DrainTimeout = value },
        byDefault: "3s",
        description: "How long active runs may go on after the sidecar was asked to stop; then they are cancelled, and new ones fail with UNAVAILABLE from the start",
        reason: "with a second for the last answers, the sidecar ends within 5 s");
}
