using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Application;

/// <summary>What this runtime tells the tools, at every endpoint.</summary>
/// <param name="Id">Tells it from other runtimes.</param>
/// <param name="Name">Display name.</param>
/// <param name="GenkitVersion">Library and version, such as <c>python/0.1.0</c>.</param>
/// <param name="Environments">At least one.</param>
internal sealed record RuntimeDescription(string Id, string Name, string GenkitVersion, IReadOnlyList<string> Environments)
{
    public static RuntimeDescription Of(RuntimeSettings settings, RuntimeInfo info) => new(
        settings.Id,
        settings.Name ?? (info.Name.Length > 0 ? info.Name : settings.Id),
        info.GenkitVersion.Length > 0 ? info.GenkitVersion : $"genkit-sidecar/{SidecarVersion.Number}",
        info.Environments.Count > 0 ? info.Environments : ["dev"]);
}

/// <summary>What the application says of itself.</summary>
/// <param name="Name">Name for the Dev UI; empty if it says none.</param>
/// <param name="GenkitVersion">Library and version, such as <c>python/0.1.0</c>; empty if it says none.</param>
/// <param name="Environments">Environments such as <c>dev</c>; empty if it says none.</param>
internal sealed record RuntimeInfo(string Name, string GenkitVersion, IReadOnlyList<string> Environments)
{
    public static RuntimeInfo Unknown { get; } = new("", "", []);
}
