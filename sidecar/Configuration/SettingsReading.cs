using System.Diagnostics.CodeAnalysis;

namespace Genkit.Sidecar.Configuration;

/// <summary>The settings, or everything that is wrong with them.</summary>
internal sealed record SettingsReading(SidecarSettings? Settings, IReadOnlyList<string> Problems)
{
    [MemberNotNullWhen(true, nameof(Settings))]
    public bool IsGood => Settings is not null;
}
