namespace Genkit.Sidecar.Benchmarks.Direct;

/// <param name="Key">Key of the action that is run.</param>
/// <param name="Input">Its input, as JSON text.</param>
/// <param name="InFlight">How many runs are in flight all the time.</param>
/// <param name="WarmUpSeconds">How long the load runs before the measurement begins.</param>
/// <param name="Seconds">How long it is measured; 0 for a single run without a warm-up.</param>
internal sealed record Load(string Key, string Input, int InFlight, double WarmUpSeconds, double Seconds);
