namespace Genkit.Sidecar.Doctor;

/// <summary>What the process can tell of where it runs.</summary>
/// <param name="IsContainer">In a container, whose loopback is its own.</param>
/// <param name="IsKubernetes">In a pod.</param>
/// <param name="IsUnderGenkit">Genkit's CLI, or a process with its variables, started this process.</param>
/// <param name="Proxy">Name of a variable that sets a proxy; null if none does.</param>
internal sealed record Surroundings(bool IsContainer, bool IsKubernetes, bool IsUnderGenkit, string? Proxy)
{
    private static readonly string[] s_proxyVariables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

    public static Surroundings Of(IReadOnlyDictionary<string, string> environment, Func<string, bool> fileExists)
    {
        bool IsSet(string variable) => environment.TryGetValue(variable, out var value) && value.Length > 0;

        var isKubernetes = IsSet("KUBERNETES_SERVICE_HOST");
        return new(
            isKubernetes || IsSet("container") || fileExists("/.dockerenv") || fileExists("/run/.containerenv"),
            isKubernetes,
            environment.GetValueOrDefault("GENKIT_ENV") == "dev" || IsSet("GENKIT_TELEMETRY_SERVER"),
            Array.Find(s_proxyVariables, IsSet));
    }
}
