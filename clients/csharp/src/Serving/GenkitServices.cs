using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Genkit.Sidecar.Client;

/// <summary>Adds an application to the services of an ASP.NET Core application.</summary>
public static class GenkitServices
{
    /// <summary>The largest message taken where no limit is set for all services. gRPC's own is 4 MiB; Genkit's manager closes at 100.</summary>
    private const int MaxReceiveMessageBytes = 100 * 1024 * 1024;

    /// <summary>
    /// Adds gRPC, as <c>AddGrpc</c> does, its health checks, and the application's actions, which <see cref="GenkitEndpoints.MapGenkit"/> serves. Where the sidecar has
    /// started the process, and so set GENKIT_SIDECAR_LISTEN, the server listens there too, beside its own addresses.
    /// </summary>
    /// <param name="services">The services, after the server was chosen, as it is in every builder but an empty one.</param>
    /// <param name="application">The actions.</param>
    /// <param name="configure">
    /// gRPC's options for Genkit's service alone, such as interceptors. Without a limit here or in <c>AddGrpc</c>, a received message may have 100 MiB.
    /// </param>
    /// <returns>gRPC's builder, as that of <c>AddGrpc</c>.</returns>
    /// <exception cref="ArgumentException">GENKIT_SIDECAR_LISTEN is no address.</exception>
    /// <exception cref="InvalidOperationException">There is an application already.</exception>
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
    /// <param name="configure">gRPC's options for Genkit's service alone.</param>
    internal static IGrpcServerBuilder AddGenkit(this IServiceCollection services, Application application, RunCancellation runs, Action<GrpcServiceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(application);
        if (services.Any(service => service.ServiceType == typeof(GenkitService)))
        {
            throw new InvalidOperationException("AddGenkit was called before: a server has one application, with all its actions");
        }

        services.AddSingleton(application).AddSingleton(runs).AddSingleton<GenkitService>();

        // Without any check, gRPC's health is unknown.
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
