using Genkit.Sidecar.Configuration;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Cli;

/// <summary>
/// What <c>run</c> does between its start and <paramref name="stop"/>: serve whoever comes through an open door. Gives the exit code, should it end by
/// itself.
/// </summary>
/// <param name="settings">How.</param>
/// <param name="logs">Where it says what it does.</param>
/// <param name="listening">Is told, once, where an application can send OTLP by now; not at all if the host cannot listen.</param>
/// <param name="quit">Is called by whoever may stop the sidecar through a door.</param>
/// <param name="stop">Ends it.</param>
internal delegate Task<int> ServeDelegate(
    SidecarSettings settings, ILoggerFactory logs, Action<OtlpEndpoints> listening, Action quit, CancellationToken stop);
