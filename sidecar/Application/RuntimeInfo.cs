namespace Genkit.Sidecar.Application;

/// <summary>What the application says of itself.</summary>
/// <param name="Name">Name for the Dev UI; empty if it says none.</param>
/// <param name="GenkitVersion">Library and version, such as <c>python/0.1.0</c>; empty if it says none.</param>
/// <param name="Environments">Environments such as <c>dev</c>; empty if it says none.</param>
internal sealed record RuntimeInfo(string Name, string GenkitVersion, IReadOnlyList<string> Environments)
{
    public static RuntimeInfo Unknown { get; } = new("", "", []);
}
