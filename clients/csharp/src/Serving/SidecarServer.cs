using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.Client;

/// <summary>
/// Combines the application's own server with a second one that listens on the sidecar's address and uses the same pipeline. A second server is needed because an
/// endpoint in the options of the own server would make Kestrel ignore addresses that are configured elsewhere, and would share its limits.
/// </summary>
internal sealed partial class SidecarServer : IServer
{
    private readonly IServer _own;
    private readonly KestrelServer _sidecar;
    private readonly ListenAddress _address;
    private readonly ListenOptions _listening;
    private readonly ILogger _logger;

    private SidecarServer(IServer own, SidecarEndpoint endpoint, IServiceProvider services)
    {
        var logs = services.GetRequiredService<ILoggerFactory>();
        var kestrel = new KestrelServerOptions { ApplicationServices = services };
        var transport = new SocketTransportOptions { CreateBoundListenSocket = ListenAddress.Bind };
        (_own, _address, _logger) = (own, endpoint.Address, logs.CreateLogger<Application>());
        _listening = endpoint.AddTo(kestrel);
        _sidecar = new KestrelServer(Options.Create(kestrel), new SocketTransportFactory(Options.Create(transport), logs), logs);
    }

    public IFeatureCollection Features => _own.Features;

    /// <summary>Replaces the registered server. Without a registered server it changes nothing, and <see cref="GenkitEndpoints.MapGenkit"/> throws.</summary>
    public static void AddTo(IServiceCollection services, ListenAddress address)
    {
        var endpoint = new SidecarEndpoint(address);
        services.AddSingleton(endpoint);
        if (services.LastOrDefault(service => service.ServiceType == typeof(IServer) && !service.IsKeyedService) is not { } own)
        {
            return;
        }

        services.Remove(own);
        services.Add(own switch
        {
            { ImplementationInstance: { } instance } => new ServiceDescriptor(typeof(IServer), typeof(SidecarServer), instance),
            { ImplementationFactory: { } factory } => new ServiceDescriptor(typeof(IServer), typeof(SidecarServer), (provider, _) => factory(provider), own.Lifetime),
            _ => new ServiceDescriptor(typeof(IServer), typeof(SidecarServer), own.ImplementationType!, own.Lifetime),
        });
        services.AddSingleton<IServer>(provider => new SidecarServer(provider.GetRequiredKeyedService<IServer>(typeof(SidecarServer)), endpoint, provider));
    }

    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        await _own.StartAsync(application, cancellationToken).ConfigureAwait(false);
        try
        {
            _address.RemoveStaleSocket();
            await _sidecar.StartAsync(application, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            throw _address.CannotListen(e);
        }

        Log.Listens(_logger, _address.With(_listening.EndPoint));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_own.StopAsync(cancellationToken), _sidecar.StopAsync(cancellationToken));

    // The service provider created the own server and disposes it.
    public void Dispose() => _sidecar.Dispose();

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Now listening for the sidecar on: {Address}")]
        public static partial void Listens(ILogger logger, string address);
    }
}
