using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Genkit.Sidecar.Grpc.Server;

/// <summary>Mounts a server in an application's routing.</summary>
public static class GrpcEndpoints
{
    /// <summary>
    /// Gives the server the paths of its services, beside the application's other endpoints. A method that such a service lacks is unimplemented; all other
    /// paths stay the application's.
    /// </summary>
    /// <param name="endpoints">The application, or a group of it without a prefix: gRPC's paths begin at the root.</param>
    /// <param name="server">The server, with all its methods.</param>
    /// <returns>All the endpoints, for instance to require authorization.</returns>
    public static IEndpointConventionBuilder MapGrpc(this IEndpointRouteBuilder endpoints, GrpcServer server)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(server);
        var group = endpoints.MapGroup("");
        foreach (var service in server.Services)
        {
            group.Map($"/{service}/{{method}}", server.HandleAsync).WithDisplayName($"gRPC {service}");
        }

        return group;
    }
}
