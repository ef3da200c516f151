using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Supervision;

/// <summary>The environment of the application: ours, but for what would make it a second runtime, and for secrets that are the sidecar's.</summary>
internal static class ApplicationEnvironment
{
    public const string Listen = "GENKIT_SIDECAR_LISTEN";

    // With the first three an application that carries a Genkit SDK would register by itself, next to the sidecar that speaks for it.
    public static readonly IReadOnlyList<string> Withheld =
    [
        "GENKIT_REFLECTION_V2_SERVER",
        "GENKIT_RUNTIME_ID",
        "GENKIT_TELEMETRY_SERVER",
        HealthSettingTable.MetricsToken.EnvironmentVariable,
        OtlpSettingTable.OtlpToken.EnvironmentVariable,
        FlowServerSettingTable.FlowToken.EnvironmentVariable,
    ];

    public static void Apply(IDictionary<string, string?> environment, string listenAddress)
    {
        foreach (var variable in Withheld)
        {
            environment.Remove(variable);
        }

        environment[Listen] = listenAddress;
    }
}
