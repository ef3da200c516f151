using System.Text;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

/// <summary>Runs that have started but are never executed.</summary>
internal static class PendingRequestFactory
{
    public static PendingRequest Create(string id, bool streamInput = false) => new(
        new RequestId(Encoding.UTF8.GetBytes($"\"{id}\"")),
        new ActionRun(new RunRequest("/flow/a") { StreamInput = streamInput }, new LimitSettings { MaxConcurrentRuns = 10, MaxInputQueueBytes = 1_000, MaxMessageBytes = 1_000_000 }, new RunMetrics(SidecarMeter.Create()), tracer: null, TimeProvider.System, NullLogger.Instance));
}
