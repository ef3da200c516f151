using Genkit.Sidecar.Client.Tests.Shop;
using Grpc.Core;

namespace Genkit.Sidecar.Client.Tests.Infrastructure;

/// <summary>A gRPC service that is not part of the library.</summary>
internal sealed class OrdersService : Orders.OrdersBase
{
    public override Task<CountResponse> Count(CountRequest request, ServerCallContext context) => Task.FromResult(new CountResponse { Count = request.Customer.Length == 0 ? 3 : request.Customer.Length });
}
