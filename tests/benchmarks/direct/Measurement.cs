namespace Genkit.Sidecar.Benchmarks.Direct;

/// <param name="Calls">Runs that ended while it was measured.</param>
/// <param name="Chunks">Chunks that came meanwhile.</param>
/// <param name="Seconds">How long it was measured.</param>
/// <param name="LatenciesMs">From the call to its result, of each of those runs.</param>
/// <param name="FirstChunksMs">From the call to its first chunk, of each of those runs that had one.</param>
internal sealed record Measurement(int Calls, long Chunks, double Seconds, double[] LatenciesMs, double[] FirstChunksMs);
