using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Runs;

/// <param name="MaxConcurrentRuns">Runs at one time; one more fails at once.</param>
/// <param name="MaxInputQueueBytes">Input of one bidirectional run that the application has not taken yet.</param>
/// <param name="MaxMessageBytes">Largest message as it was set, for people.</param>
/// <param name="MaxFrameBytes">The same with what surrounds a payload: what is refused is larger than this.</param>
internal sealed record RunLimits(int MaxConcurrentRuns, long MaxInputQueueBytes, long MaxMessageBytes, long MaxFrameBytes)
{
    public static RunLimits From(SidecarSettings settings) =>
        new(settings.MaxConcurrentRuns, settings.MaxInputQueueBytes, settings.MaxMessageBytes, settings.MaxFrameBytes);
}
