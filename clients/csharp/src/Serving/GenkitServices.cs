using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Genkit.Sidecar.Client;

/// <summary>Adds an application to the services of an ASP.NET Core application.</summary>
public static class GenkitServices
{
    /// <summary>Default size limit of received messages, in bytes. gRPC's default is 4 MiB; Genkit's manager closes connections with messages above 100 MiB.</summary>
    private const int MaxReceiveMessageBytes = 100 * 1024 * 1024;

    /// <summary>
    /// Adds gRPC as <c>AddGrpc</c> does, its health checks, and the application's actions, which <see cref="GenkitEndpoints.MapGenkit"/> maps. If GENKIT_SIDECAR_LISTEN is
    /// set, as it is when the sidecar starts the process, the server listens on that address in addition to its own.
    /// </summary>
    /// <param name="services">The services. The server must be registered already, as it is in every builder except an empty one.</param>
    /// <param name="application">The actions.</param>
    /// <param name="configure">
    /// gRPC options for Genkit's service only, such as interceptors. If neither they nor <c>AddGrpc</c> set a limit, received messages are limited to 100 MiB.
    /// </param>
    /// <returns>The gRPC builder that <c>AddGrpc</c> returns.</returns>
    /// <exception cref="ArgumentException">GENKIT_SIDECAR_LISTEN is not a valid address.</exception>
    /// <exception cref="InvalidOperationException">AddGenkit was called before.</exception>
    public static IGrpcServerBuilder AddGenkit(this IServiceCollection services, Application application, Action<GrpcServiceOptions>? configure = null)
    {
        var grpc = services.AddGenkit(application, new RunCancellation(CancellationToken.None), configure);
        if (ListenAddress.OfSidecar() is { } address)
        {
            SidecarServer.AddTo(services, address);
        }

        return grpc;
    }

    /// <param name="services">The services.</param>
    /// <param name="application">The actions.</param>
    /// <param name="runs">Cancels all runs.</param>
    /// <param name="configure">gRPC options for Genkit's service only.</param>
    internal static IGrpcServerBuilder AddGenkit(this IServiceCollection services, Application application, RunCancellation runs, Action<GrpcServiceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(application);
        if (services.Any(service => service.ServiceType == typeof(GenkitService)))
        {
            throw new InvalidOperationException("AddGenkit was already called. A server has one application; add all actions to it");
        }

        services.AddSingleton(application).AddSingleton(runs).AddSingleton<GenkitService>();

        // Without any health check, gRPC reports the status as unknown.
        services.AddGrpcHealthChecks(health => health.Services.Map(V1.ActionService.Descriptor.FullName, _ => true)).AddCheck("genkit", () => HealthCheckResult.Healthy());
        return services.AddGrpc().AddServiceOptions<GenkitService>(service =>
        {
            if (!service.MaxReceiveMessageSizeSpecified)
            {
                service.MaxReceiveMessageSize = MaxReceiveMessageBytes;
            }

            configure?.Invoke(service);
        });
    }
}
