using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.Client;

/// <summary>Maps the actions in an ASP.NET Core application.</summary>
public static class GenkitEndpoints
{
    /// <summary>
    /// Maps the actions that were added with <see cref="GenkitServices.AddGenkit(IServiceCollection, Application, Action{Grpc.AspNetCore.Server.GrpcServiceOptions}?)"/>.
    /// The application's middleware and TLS apply to them.
    /// </summary>
    /// <param name="endpoints">The ASP.NET Core application, or a route group without prefix, because gRPC paths start at the root.</param>
    /// <param name="health">Whether to map <c>grpc.health.v1.Health</c> too. Set it to false if the application calls <c>MapGrpcHealthChecksService</c> itself.</param>
    /// <returns>A builder for all mapped endpoints, for example to require authorization.</returns>
    /// <exception cref="InvalidOperationException">AddGenkit was not called, or was called before the server was registered.</exception>
    public static IEndpointConventionBuilder MapGenkit(this IEndpointRouteBuilder endpoints, bool health = true)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        if (services.GetService<GenkitService>() is null)
        {
            throw new InvalidOperationException("no actions to map. Call builder.Services.AddGenkit(application) first");
        }

        if (services.GetService<SidecarEndpoint>() is { } sidecar && services.GetService<IServer>() is not SidecarServer)
        {
            throw new InvalidOperationException(
                $"{ListenAddress.Variable} is {sidecar.Address}, but the server does not listen there because it was registered after AddGenkit. Call UseKestrel, or the method that registers your server, before AddGenkit, or unset the variable");
        }

        var group = endpoints.MapGroup("").WithMetadata(new UnlimitedBody());
        group.MapGrpcService<GenkitService>();
        if (health)
        {
            group.MapGrpcHealthChecksService();
        }

        return group;
    }

    /// <summary>Removes the server's limit of 30 MB per request body. gRPC limits the size of each message instead.</summary>
    private sealed class UnlimitedBody : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => null;
    }
}
