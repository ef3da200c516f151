using Genkit.Sidecar.Configuration;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Cli;

/// <summary>What <c>run</c> does between its start and <paramref name="stop"/>: serve the manager. Gives the exit code, should it end by itself.</summary>
internal delegate Task<int> SidecarCore(SidecarSettings settings, ILoggerFactory logs, CancellationToken stop);
