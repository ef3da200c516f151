namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="TelemetrySettings"/>.</summary>
internal static class TelemetrySettingTable
{
    public static readonly SettingGroup<TelemetrySettings> Group = new("Traces");

    public static readonly Setting TelemetryServer = Group.Add(
        "telemetry-server",
        SettingValue.Single("URL", "http://host:port, https://host:port or off", TelemetryAddress.Parse),
        (settings, value) => settings with { Server = value },
        variable: "GENKIT_TELEMETRY_SERVER",
        defaultNote: "the one that the manager names",
        description: "Genkit's telemetry server, which gets a trace of each run; `off` for none",
        reason: "the Genkit CLI sets the variable for the command it starts, and tells every other runtime when it registers");

    public static readonly Setting TelemetryAllowHost = Group.Add(
        "telemetry-allow-host",
        SettingValue.Hosts,
        (settings, value) => settings with { AllowedHosts = value },
        defaultNote: "none but the manager's own",
        description: "Host on which the manager may name a telemetry server; may be repeated, in the variable one per line, in the file an array",
        reason: "traces hold inputs and outputs, and must not go wherever a peer says");

    public static readonly Setting RealtimeTelemetry = Group.Add(
        "telemetry-realtime",
        SettingValue.Flag,
        (settings, value) => settings with { Realtime = value },
        setSource: (settings, source) => settings with { RealtimeSource = source },
        variable: "GENKIT_ENABLE_REALTIME_TELEMETRY",
        byDefault: "false",
        description: "Whether a run is in the Dev UI's traces from its start, not only from its end; the variable counts in `dev` alone",
        reason: "the Genkit CLI sets the variable for the command it starts; other uses read traces after the run");

    public static readonly Setting TelemetryWait = Group.Add(
        "telemetry-wait",
        SettingValue.Duration("0", "1m"),
        (settings, value) => settings with { Wait = value },
        byDefault: "2s",
        description: "How long a run's answer waits for its trace to be readable, 500ms of it if the run was cancelled; 0 to not wait. A server that takes longer is not waited for until it is quick again",
        reason: "tools read the trace as soon as they have the answer; people do not wait longer for one");

    public static readonly Setting TelemetryTimeout = Group.Add(
        "telemetry-timeout",
        SettingValue.Duration("100ms", "10m"),
        (settings, value) => settings with { Timeout = value },
        byDefault: "10s",
        description: "How long the telemetry server may take for one span, which is then sent again, three times in all",
        reason: "it writes large spans to its disk before it answers");

    public static readonly Setting TelemetryMaxSpanBytes = Group.Add(
        "telemetry-max-span-bytes",
        SettingValue.Size("1MiB", "95MiB"),
        (settings, value) => settings with { MaxSpanBytes = value },
        byDefault: "16MiB",
        description: "Largest span; an input or output that does not fit is left out of the trace, with a note of its size",
        reason: "the telemetry server takes up to 100 MiB, and is busy with nothing else meanwhile");

    public static readonly Setting TelemetryMaxQueueBytes = Group.Add(
        "telemetry-max-queue-bytes",
        SettingValue.Size("64KiB", "1024MiB"),
        (settings, value) => settings with { MaxQueueBytes = value },
        byDefault: "64MiB",
        description: "Memory of spans, those of active runs and those that wait for the telemetry server, 4KiB at least for each; past it they are lost",
        reason: "a few of the largest, or 16384 small ones while the CLI restarts");
}
