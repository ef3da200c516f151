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
/// The application's own server, and beside it one that listens where the sidecar says, for the same pipeline. An endpoint in the own server's options would make
/// Kestrel ignore the addresses that are configured elsewhere, and share its limits.
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

    /// <summary>Puts one in the place of the server that is there. Without a server nothing changes, which <see cref="GenkitEndpoints.MapGenkit"/> tells.</summary>
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
            throw _address.Untaken(e);
        }

        Log.Listens(_logger, _address.With(_listening.EndPoint));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_own.StopAsync(cancellationToken), _sidecar.StopAsync(cancellationToken));

    // The services have made the own server, and dispose of it.
    public void Dispose() => _sidecar.Dispose();

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Now listening for the sidecar on: {Address}")]
        public static partial void Listens(ILogger logger, string address);
    }
}
