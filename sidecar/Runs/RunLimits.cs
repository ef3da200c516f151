namespace Genkit.Sidecar.Runs;

/// <param name="MaxConcurrentRuns">Runs at one time; one more fails at once.</param>
/// <param name="MaxInputQueueBytes">Input of one bidirectional run that the application has not taken yet.</param>
/// <param name="MaxMessageBytes">Largest chunk or result, in bytes.</param>
internal sealed record RunLimits(int MaxConcurrentRuns, long MaxInputQueueBytes, long MaxMessageBytes);
