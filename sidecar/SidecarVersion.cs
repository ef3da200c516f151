using System.Reflection;

namespace Genkit.Sidecar;

/// <summary>The version as people write it, without the commit that the build appends.</summary>
internal static class SidecarVersion
{
    public static string Number { get; } =
        typeof(SidecarVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
