namespace Genkit.Sidecar.Client;

/// <summary>Cancels all runs of a server before its connections are closed.</summary>
internal sealed record RunCancellation(CancellationToken Token);
