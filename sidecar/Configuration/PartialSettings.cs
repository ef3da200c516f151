namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that are good, beside everything that is wrong with the others.</summary>
/// <param name="Settings">Complete; what is wrong has its default.</param>
/// <param name="Problems">As a start would name them.</param>
/// <param name="Wrong">Those that were given a wrong value. What is missing, and a mistake in the file's form, belongs to none.</param>
internal sealed record PartialSettings(SidecarSettings Settings, IReadOnlyList<string> Problems, IReadOnlySet<Setting> Wrong);
