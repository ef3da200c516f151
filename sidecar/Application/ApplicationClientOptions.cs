using Genkit.Sidecar.GrpcClient;

namespace Genkit.Sidecar.Application;

/// <param name="Channel">What is dialled, and how.</param>
/// <param name="CallTimeout">Deadline of every method but those that run an action.</param>
/// <param name="RunTimeout">Deadline of a run; zero for none.</param>
/// <param name="MaxMessageBytes">Largest message either way.</param>
/// <param name="SidecarVersion">Told to the application.</param>
internal sealed record ApplicationClientOptions(
    ClientChannelOptions Channel,
    TimeSpan CallTimeout,
    TimeSpan RunTimeout,
    long MaxMessageBytes,
    string SidecarVersion);
