namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="LimitSettings"/>.</summary>
internal static class LimitSettingTable
{
    public static readonly SettingGroup<LimitSettings> Group = new("Runs and messages");

    public static readonly Setting MaxMessageBytes = Group.Add(
        "max-message-bytes",
        SettingValue.Size("1KiB", "99MiB"),
        (settings, value) => settings with { MaxMessageBytes = value },
        byDefault: "90MiB",
        description: "Largest message either way, to the manager and to the application",
        reason: "the manager closes the connection at 100 MiB");

    public static readonly Setting RunTimeout = Group.Add(
        "run-timeout",
        SettingValue.Duration("0", "24h"),
        (settings, value) => settings with { RunTimeout = value },
        byDefault: "0",
        description: "Deadline of a run; 0 for none",
        reason: "only the application knows how long a run takes, and the manager waits without a limit");

    public static readonly Setting RunGrace = Group.Add(
        "run-grace",
        SettingValue.Duration("0", "24h"),
        (settings, value) => settings with { RunGrace = value },
        byDefault: "60s",
        description: "How long a run outlives the connection that asked for it",
        reason: "a restarted CLI reconnects within that time");

    public static readonly Setting MaxConcurrentRuns = Group.Add(
        "max-concurrent-runs",
        SettingValue.Count(1, 65536),
        (settings, value) => settings with { MaxConcurrentRuns = value },
        byDefault: "256",
        description: "Runs at a time; one more fails with RESOURCE_EXHAUSTED",
        reason: "more than a batch or an evaluation starts, few enough to bound the memory");

    public static readonly Setting MaxInputQueueBytes = Group.Add(
        "max-input-queue-bytes",
        SettingValue.Size("1KiB", "1024MiB"),
        (settings, value) => settings with { MaxInputQueueBytes = value },
        byDefault: "8MiB",
        description: "Input of one bidirectional run that the application has not taken yet; past it the run fails with RESOURCE_EXHAUSTED",
        reason: "the manager cannot be slowed down, and many runs share the memory");
}
