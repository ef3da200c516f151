using System.Text;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.ReflectionV2;
using Genkit.Sidecar.Runs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.ReflectionV2;

/// <summary>Runs that have started but are never executed.</summary>
internal static class PendingRunFactory
{
    public static PendingRun Create(string id, bool streamInput = false) => new(
        new RequestId(Encoding.UTF8.GetBytes($"\"{id}\"")),
        new Run(new RunRequest("/flow/a") { StreamInput = streamInput }, new RunLimits(10, 1_000, 1_000_000, 1_000_000), new RunMetrics(SidecarMeter.Create()), tracer: null, TimeProvider.System, NullLogger.Instance));
}
