using System.Diagnostics;
using Microsoft.AspNetCore.Routing;

namespace Genkit.Sidecar.Http;

/// <summary>The middleware and endpoints of one listener, and the services that they need.</summary>
internal sealed class WebPipeline : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private WebPipeline(ServiceProvider services, RequestDelegate handle) =>
        (_services, Scopes, Handle) = (services, services.GetRequiredService<IServiceScopeFactory>(), handle);

    /// <summary>Gives each request its services.</summary>
    public IServiceScopeFactory Scopes { get; }

    /// <summary>Answers a request.</summary>
    public RequestDelegate Handle { get; }

    /// <summary>Builds it.</summary>
    /// <param name="logs">For the lines of the middleware.</param>
    /// <param name="addServices">Adds what the middleware needs beyond routing.</param>
    /// <param name="map">Adds middleware and maps endpoints.</param>
    public static WebPipeline Create(ILoggerFactory logs, Action<IServiceCollection>? addServices, Action<IApplicationBuilder> map)
    {
        var services = new ServiceCollection();
        services.AddSingleton(logs);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton(_ => new DiagnosticListener("Microsoft.AspNetCore"));
        services.AddMetrics();
        services.AddRoutingCore();
        services.AddSingleton<MatcherPolicy, ExactPathPolicy>();
        addServices?.Invoke(services);
        var provider = services.BuildServiceProvider();
        var application = new ApplicationBuilder(provider);
        map(application);
        return new(provider, application.Build());
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
