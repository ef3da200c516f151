using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.Client;

/// <summary>Maps an application in an ASP.NET Core application.</summary>
public static class GenkitEndpoints
{
    /// <summary>
    /// Serves the actions of <see cref="GenkitServices.AddGenkit(IServiceCollection, Application, Action{Grpc.AspNetCore.Server.GrpcServiceOptions}?)"/> beside other
    /// endpoints, behind the middleware and the TLS that are there.
    /// </summary>
    /// <param name="endpoints">The ASP.NET Core application, or a group of it without a prefix: gRPC's paths begin at the root.</param>
    /// <param name="health">Whether <c>grpc.health.v1.Health</c> is served too. False where the application calls <c>MapGrpcHealthChecksService</c> itself.</param>
    /// <returns>All the endpoints, for instance to require authorization.</returns>
    /// <exception cref="InvalidOperationException">AddGenkit was not called, or was before the server was chosen.</exception>
    public static IEndpointConventionBuilder MapGenkit(this IEndpointRouteBuilder endpoints, bool health = true)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        if (services.GetService<GenkitService>() is null)
        {
            throw new InvalidOperationException("the services have no actions to map: call builder.Services.AddGenkit(application) first");
        }

        if (services.GetService<SidecarEndpoint>() is { } sidecar && services.GetService<IServer>() is not SidecarServer)
        {
            throw new InvalidOperationException(
                $"{ListenAddress.Variable} is {sidecar.Address}, where nothing would listen, for the server was chosen after AddGenkit. Call UseKestrel, or what else chooses it, before AddGenkit, or unset the variable");
        }

        var group = endpoints.MapGroup("").WithMetadata(new UnlimitedBody());
        group.MapGrpcService<GenkitService>();
        if (health)
        {
            group.MapGrpcHealthChecksService();
        }

        return group;
    }

    /// <summary>The server's limit of 30 MB is one of bodies. What gRPC limits is the message.</summary>
    private sealed class UnlimitedBody : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => null;
    }
}
