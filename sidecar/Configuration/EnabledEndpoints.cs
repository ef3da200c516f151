namespace Genkit.Sidecar.Configuration;

/// <summary>
/// Which endpoints of a Genkit runtime are enabled. Decided only here: <c>GENKIT_ENV=dev</c>, which the Genkit CLI sets for the
/// command it starts, enables the development endpoints; otherwise only endpoints that a setting names are enabled.
/// </summary>
/// <param name="ReflectionV2">The sidecar calls the manager.</param>
/// <param name="ReflectionV1">The sidecar answers over HTTP and leaves a runtime file, by which the CLI's other commands find it.</param>
/// <param name="FlowServer">The sidecar serves flows over HTTP.</param>
/// <param name="InternalMessages">Callers of flows read the messages of internal errors.</param>
/// <param name="RealtimeTraces">A run's trace is posted at its start too.</param>
/// <param name="Warnings">What is open although this is not development, for the log.</param>
internal sealed record EnabledEndpoints(bool ReflectionV2, bool ReflectionV1, bool FlowServer, bool InternalMessages, bool RealtimeTraces, IReadOnlyList<string> Warnings)
{
    private const string Development = "dev";

    /// <summary>The decision in words, for <c>--help</c> and the README.</summary>
    public static readonly IReadOnlyList<(string Endpoint, string InDevelopment, string Elsewhere)> Table =
    [
        ("Reflection API v2: the manager of `genkit start --experimental-reflection-v2` and of `genkit flow:run … -- command`",
            $"with {ManagerSettingTable.Manager.Flag}, its variable or {ManagerSettingTable.EnvFile.Flag}",
            "the same, with a warning unless the file of the CLI named the manager"),
        ("Reflection API v1 and its runtime file: `genkit start`, `flow:run` and `eval:*` from another terminal, `genkit mcp`",
            $"open, unless {ReflectionV1SettingTable.ReflectionV1.Flag} is off",
            $"with {ReflectionV1SettingTable.ReflectionV1.Flag} ADDRESS, with a warning"),
        ("Flow server: HTTP for services and web pages",
            $"with {FlowServerSettingTable.FlowServer.Flag} ADDRESS; callers read the messages of internal errors",
            $"with {FlowServerSettingTable.FlowServer.Flag} ADDRESS; the messages of internal errors are hidden"),
        ("Traces in real time",
            $"with {TelemetrySettingTable.RealtimeTelemetry.Flag} or its variable, which the CLI sets",
            $"with {TelemetrySettingTable.RealtimeTelemetry.Flag}, not by the variable"),
    ];

    /// <summary>Whether there is anything to serve. Without it <c>run</c> can only supervise its command.</summary>
    public bool Any => ReflectionV2 || ReflectionV1 || FlowServer;

    public static EnabledEndpoints Of(SidecarSettings settings)
    {
        var isDevelopment = settings.Runtime.GenkitEnv == Development;
        var isManagerNamed = settings.Manager.AddressSource.Origin != SettingOrigin.Default;
        var isV1Named = settings.ReflectionV1.AddressSource.Origin != SettingOrigin.Default;
        var isV1Open = isV1Named ? settings.ReflectionV1.Address is not { EndPoint: null } : isDevelopment;
        var warnings = new List<string>();
        if (!isDevelopment)
        {
            if (isManagerNamed)
            {
                warnings.Add(Warning("Reflection API v2 is open to the manager", settings.Manager.AddressSource));
            }

            if (isV1Open)
            {
                warnings.Add(Warning("Reflection API v1 is open", settings.ReflectionV1.AddressSource));
            }
        }

        return new(
            isManagerNamed || settings.Manager.EnvFile is not null,
            isV1Open,
            settings.FlowServer.Address.EndPoint is not null,
            isDevelopment,
            settings.Telemetry.Realtime && (isDevelopment || settings.Telemetry.RealtimeSource.Origin != SettingOrigin.Environment),
            warnings);
    }

    /// <summary>Why Reflection API v1, which needs no address, is not enabled. For the log if no endpoint is.</summary>
    public static string WhyReflectionV1IsDisabled(SidecarSettings settings) => settings.ReflectionV1.AddressSource.Origin == SettingOrigin.Default
        ? $"{RuntimeSettingTable.GenkitEnv.EnvironmentVariable} is not {Development}"
        : $"{settings.ReflectionV1.AddressSource} is off";

    private static string Warning(string what, SettingSource source) =>
        $"{what} by {source}, though {RuntimeSettingTable.GenkitEnv.EnvironmentVariable} is not {Development}: its callers may run every action";
}
