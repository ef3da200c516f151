namespace Genkit.Sidecar.Health;

/// <summary>What an orchestrator may want to know.</summary>
internal enum Probe
{
    /// <summary>Whether a restart would help.</summary>
    Live,

    /// <summary>
    /// Whether the next container may start. Needs neither manager nor application: in Kubernetes the application is that next container.
    /// </summary>
    Startup,

    /// <summary>Whether the manager's tools can use the application by now.</summary>
    Ready,
}

/// <summary>The first line of an answer to a probe, which is all of it unless details were asked for.</summary>
internal static class ProbeText
{
    public const string Good = "ok\n";

    public const string Bad = "not ready\n";
}
