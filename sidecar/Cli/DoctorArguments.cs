namespace Genkit.Sidecar.Cli;

/// <summary>What <c>doctor</c> was given.</summary>
/// <param name="IsJson">Whether the report is one JSON document.</param>
/// <param name="Key">The action to run; null for none.</param>
/// <param name="Json">Its input; null for none.</param>
/// <param name="Command">The command to start; empty for an application that runs by itself.</param>
internal sealed record DoctorArguments(bool IsJson, string? Key, string? Json, IReadOnlyList<string> Command);
