using Genkit.Sidecar.Grpc.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary>Mounts an application in an ASP.NET Core application.</summary>
public static class GenkitEndpoints
{
    /// <summary>
    /// Serves the application's actions beside other endpoints, behind the middleware and the TLS that are there. It needs an endpoint of Kestrel with HTTP/2, which
    /// without TLS has to be said: <c>listen.Protocols = HttpProtocols.Http2</c>.
    /// </summary>
    /// <param name="endpoints">The ASP.NET Core application, or a group of it without a prefix: gRPC's paths begin at the root.</param>
    /// <param name="application">The actions.</param>
    /// <param name="health">Whether <c>grpc.health.v1.Health</c> is served too. False where the application serves its own.</param>
    /// <returns>All the endpoints, for instance to require authorization.</returns>
    public static IEndpointConventionBuilder MapGenkit(this IEndpointRouteBuilder endpoints, Application application, bool health = true)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(application);
        return endpoints.MapGrpc(ServerOf(application, endpoints.ServiceProvider, health, CancellationToken.None));
    }

    /// <param name="application">The actions.</param>
    /// <param name="services">The server's services.</param>
    /// <param name="health">Whether health is served.</param>
    /// <param name="stopping">Cancels all runs.</param>
    internal static GrpcServer ServerOf(Application application, IServiceProvider services, bool health, CancellationToken stopping)
    {
        var logs = services.GetRequiredService<ILoggerFactory>();
        var server = new GrpcServer(new GrpcServerOptions { MaxReceiveMessageBytes = ActionService.MaxMessageBytes }, logs.CreateLogger<GrpcServer>());
        new ActionService(application, logs.CreateLogger<Application>(), stopping).AddTo(server);
        if (health)
        {
            new Health(services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping).AddTo(server);
        }

        return server;
    }
}
