namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="ManagerSettings"/>.</summary>
internal static class ManagerSettingTable
{
    public static readonly SettingGroup<ManagerSettings> Group = new("Manager");

    public static readonly Setting Manager = Group.Add(
        "manager",
        SettingValue.Single("URL", "ws://host:port or wss://host:port", ManagerAddress.Parse),
        (settings, value) => settings with { Address = value },
        setSource: (settings, source) => settings with { AddressSource = source },
        variable: "GENKIT_REFLECTION_V2_SERVER",
        description: "WebSocket address of the Genkit manager",
        reason: "the Genkit CLI picks a free port and sets the variable for the command it starts");

    public static readonly Setting EnvFile = Group.Add(
        "env-file",
        SettingValue.Text("FILE", "a path"),
        (settings, value) => settings with { EnvFile = value },
        description: "File of `genkit start --write-env-file`, read again before every connect; its GENKIT_REFLECTION_V2_SERVER wins over all but --manager",
        reason: "a restarted CLI may listen on another port, so the file is newer than an inherited variable; it may not exist yet");

    public static readonly Setting RegisterTimeout = Group.Add(
        "register-timeout",
        SettingValue.Duration("100ms", "10m"),
        (settings, value) => settings with { RegisterTimeout = value },
        byDefault: "10s",
        description: "How long connecting to the manager, and then its answer to `register`, may take before it is tried anew",
        reason: "the manager never answers a register that it dislikes");

    public static readonly Setting KeepAliveInterval = Group.Add(
        "keep-alive-interval",
        SettingValue.Duration("100ms", "15s"),
        (settings, value) => settings with { KeepAliveInterval = value },
        byDefault: "5s",
        description: "How often an idle manager connection is pinged",
        reason: "the manager does not ping; with the timeout a dead connection is found in less than 15 s");

    public static readonly Setting KeepAliveTimeout = Group.Add(
        "keep-alive-timeout",
        SettingValue.Duration("100ms", "15s"),
        (settings, value) => settings with { KeepAliveTimeout = value },
        byDefault: "8s",
        description: "How long the answer to a ping may take; less than 15s together with the interval",
        reason: "a manager that is busy with a large message answers late");

    public static readonly Setting ReconnectInterval = Group.Add(
        "reconnect-interval",
        SettingValue.Duration("10ms", "1h"),
        (settings, value) => settings with { ReconnectInterval = value },
        byDefault: "500ms",
        description: "Pause before the manager is called again, give or take 20 %, during the first minute after a loss",
        reason: "a restarted CLI is found at once; the first pause of Genkit's own SDKs");

    public static readonly Setting ReconnectMaxInterval = Group.Add(
        "reconnect-max-interval",
        SettingValue.Duration("10ms", "1h"),
        (settings, value) => settings with { ReconnectMaxInterval = value },
        byDefault: "5s",
        description: "The pause after that minute",
        reason: "the longest pause of Genkit's own SDKs");
}
