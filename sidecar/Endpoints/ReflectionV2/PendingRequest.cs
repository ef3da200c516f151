using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>A <c>runAction</c> request that is not answered yet, and its run. May outlive the connection that it came through.</summary>
internal sealed record PendingRequest(RequestId Request, ActionRun Run);
