namespace Genkit.Sidecar.Cli;

/// <summary>What <c>call</c> was given. <paramref name="Json"/> is null when there was none, and <c>-</c> stands for standard input.</summary>
internal sealed record CallArguments(string Key, string? Json, bool IsStreaming);
