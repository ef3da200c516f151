namespace Genkit.Sidecar.Configuration;

/// <summary>
/// Which doors of a Genkit runtime are open. Decided here and nowhere else: <c>GENKIT_ENV=dev</c>, which the Genkit CLI sets for the
/// command it starts, opens what is for development; elsewhere only what somebody named opens.
/// </summary>
/// <param name="ReflectionV2">The sidecar calls the manager.</param>
/// <param name="ReflectionV1">The sidecar answers over HTTP and leaves a runtime file, by which the CLI's other commands find it.</param>
/// <param name="FlowServer">The sidecar serves flows over HTTP.</param>
/// <param name="InternalMessages">Callers of flows read the messages of internal errors.</param>
/// <param name="RealtimeTraces">A run's trace is posted at its start too.</param>
/// <param name="Warnings">What is open although this is not development, for the log.</param>
internal sealed record OpenDoors(bool ReflectionV2, bool ReflectionV1, bool FlowServer, bool InternalMessages, bool RealtimeTraces, IReadOnlyList<string> Warnings)
{
    private const string Development = "dev";

    /// <summary>The decision in words, for <c>--help</c> and docs/endpoints.md.</summary>
    public static readonly IReadOnlyList<(string Door, string InDevelopment, string Elsewhere)> Table =
    [
        ("Reflection API v2: the manager of `genkit start --experimental-reflection-v2` and of `genkit flow:run … -- command`",
            $"with {SettingTable.Manager.Flag}, its variable or {SettingTable.EnvFile.Flag}",
            "the same, with a warning unless the file of the CLI named the manager"),
        ("Reflection API v1 and its runtime file: `genkit start`, `flow:run` and `eval:*` from another terminal, `genkit mcp`",
            $"open, unless {SettingTable.ReflectionV1.Flag} is off",
            $"with {SettingTable.ReflectionV1.Flag} ADDRESS, with a warning"),
        ("Flow server: HTTP for services and web pages",
            $"with {SettingTable.FlowServer.Flag} ADDRESS; callers read the messages of internal errors",
            $"with {SettingTable.FlowServer.Flag} ADDRESS; the messages of internal errors are hidden"),
        ("Traces in real time",
            $"with {SettingTable.RealtimeTelemetry.Flag} or its variable, which the CLI sets",
            $"with {SettingTable.RealtimeTelemetry.Flag}, not by the variable"),
    ];

    /// <summary>Whether there is anything to serve. Without it <c>run</c> can only supervise its command.</summary>
    public bool Any => ReflectionV2 || ReflectionV1 || FlowServer;

    public static OpenDoors Of(SidecarSettings settings)
    {
        var isDevelopment = settings.GenkitEnv == Development;
        var isManagerNamed = settings.ManagerSource.Origin != SettingOrigin.Default;
        var isV1Named = settings.ReflectionV1Source.Origin != SettingOrigin.Default;
        var isV1Open = isV1Named ? settings.ReflectionV1 is not { EndPoint: null } : isDevelopment;
        var warnings = new List<string>();
        if (!isDevelopment)
        {
            if (isManagerNamed)
            {
                warnings.Add(Warning("Reflection API v2 is open to the manager", settings.ManagerSource));
            }

            if (isV1Open)
            {
                warnings.Add(Warning("Reflection API v1 is open", settings.ReflectionV1Source));
            }
        }

        return new(
            isManagerNamed || settings.EnvFile is not null,
            isV1Open,
            settings.FlowServer.Address is { EndPoint: not null },
            isDevelopment,
            settings.RealtimeTelemetry && (isDevelopment || settings.RealtimeTelemetrySource.Origin != SettingOrigin.Environment),
            warnings);
    }

    /// <summary>What keeps the one door shut that could be open without an address; for people who find none open.</summary>
    public static string WhyReflectionV1IsShut(SidecarSettings settings) => settings.ReflectionV1Source.Origin == SettingOrigin.Default
        ? $"{SettingTable.GenkitEnv.EnvironmentVariable} is not {Development}"
        : $"{settings.ReflectionV1Source} is off";

    private static string Warning(string what, SettingSource source) =>
        $"{what} by {source}, though {SettingTable.GenkitEnv.EnvironmentVariable} is not {Development}: whoever is behind it may run every action";
}
