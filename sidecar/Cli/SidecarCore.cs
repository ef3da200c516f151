using Genkit.Sidecar.Configuration;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Cli;

/// <summary>
/// What <c>run</c> does between its start and <paramref name="stop"/>: serve whoever comes through an open door. Gives the exit code, should it end by
/// itself. Whoever may stop the sidecar through a door does so by <paramref name="quit"/>.
/// </summary>
internal delegate Task<int> SidecarCore(SidecarSettings settings, ILoggerFactory logs, Action quit, CancellationToken stop);
