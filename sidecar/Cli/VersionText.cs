using System.Reflection;

namespace Genkit.Sidecar.Cli;

/// <summary>The version as people write it, without the commit that the build appends.</summary>
internal static class VersionText
{
    public static string Number { get; } =
        typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    public static string Line => $"genkit-sidecar {Number}";
}
