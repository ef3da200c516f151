using Grpc.Core;
using ServingStatus = Genkit.Sidecar.Conformance.Health.HealthCheckResponse.Types.ServingStatus;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>The gRPC health service of the reference application.</summary>
internal sealed class ReferenceHealth(Admission admission, Rule? broken) : Health.Health.HealthBase
{
    private ServingStatus Serving => broken == Rule.NotServing ? ServingStatus.NotServing : ServingStatus.Serving;

    public override Task<Health.HealthCheckResponse> Check(Health.HealthCheckRequest request, ServerCallContext context)
    {
        admission.Offer("health");
        admission.Admit(context, request);
        return IsKnown(request.Service)
            ? Task.FromResult(new Health.HealthCheckResponse { Status = Serving })
            : throw new RpcException(new Status(StatusCode.NotFound, $"there is no service {request.Service}"));
    }

    public override async Task Watch(Health.HealthCheckRequest request, IServerStreamWriter<Health.HealthCheckResponse> responseStream, ServerCallContext context)
    {
        admission.Offer("health");
        if (broken != Rule.WatchTellsNothing)
        {
            await responseStream.WriteAsync(new Health.HealthCheckResponse { Status = IsKnown(request.Service) ? Serving : ServingStatus.ServiceUnknown });
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
    }

    private bool IsKnown(string service) => broken == Rule.HealthKnowsAll || service is "" or "genkit.sidecar.v1.ActionService";
}
