using System.Diagnostics.Metrics;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.FlowServer;
using Genkit.Sidecar.Endpoints.Health;
using Genkit.Sidecar.Endpoints.Otlp;
using Genkit.Sidecar.Endpoints.ReflectionV1;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Hosting;

/// <summary>The sidecar as a generic host: one runtime, its application, its runs, and its endpoints.</summary>
internal static partial class SidecarHost
{
    private static readonly Task<bool> s_isOff = Task.FromResult(true);

    /// <summary>
    /// Serves the enabled endpoints until <paramref name="stop"/>. Returns the exit code: 0, or 1 if a listener cannot bind its
    /// address, or if the host stopped by itself, which it does only when it fails.
    /// </summary>
    /// <param name="settings">How.</param>
    /// <param name="logs">Where all parts log to.</param>
    /// <param name="listening">Called with the OTLP addresses for processes of this machine, once the host listens.</param>
    /// <param name="quit">Called when a client stops the sidecar through an endpoint.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<int> RunAsync(
        SidecarSettings settings, ILoggerFactory logs, Action<OtlpEndpoints> listening, Action quit, CancellationToken stop)
    {
        using var host = Create(settings, logs, quit);
        Say(EnabledEndpoints.Of(settings), settings, logs.CreateLogger("Genkit.Sidecar.Endpoints"));
        if (!await OpenAsync(host.Services, stop))
        {
            return 1;
        }

        listening(host.Services.GetRequiredService<OtlpListeners>().Endpoints);
        host.Services.GetRequiredService<IdleCollector>().Touch();
        await host.RunAsync(stop);
        return stop.IsCancellationRequested ? 0 : 1;
    }

    /// <summary>
    /// Opens the listeners, before the host starts; those that the application may need to its end close after it has stopped, when its services
    /// are disposed of. Returns false if one cannot bind its address, and logs why.
    /// </summary>
    public static async Task<bool> OpenAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var otlp = services.GetRequiredService<OtlpListeners>();
        if (!await otlp.OpenAsync(cancellationToken))
        {
            return false;
        }

        // Before a probe may be the first to connect to the application.
        services.GetRequiredService<ApplicationClient>().OtlpEndpoints = otlp.EndpointsFor(services.GetRequiredService<ApplicationSettings>().Address);

        // What is off is not even made.
        return await (services.GetService<HealthListener>()?.OpenAsync(cancellationToken) ?? s_isOff)
            && await (services.GetService<ReflectionV1Listener>()?.OpenAsync(cancellationToken) ?? s_isOff)
            && await (services.GetService<FlowListener>()?.OpenAsync(cancellationToken) ?? s_isOff);
    }

    public static IHost Create(SidecarSettings settings, ILoggerFactory logs, Action quit)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IHostLifetime, ExternalHostLifetime>();

        // --drain-timeout bounds how long stopping takes. The host's own limit of 30 s would cut runs short.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        var enabled = EnabledEndpoints.Of(settings);
        AddSettings(builder.Services, settings);
        AddRuntime(builder.Services, settings, enabled);
        AddEndpoints(builder.Services, enabled);
        builder.Services.AddSingleton(new Quit(quit));
        AddHealth(builder.Services, settings.Health);
        builder.Services.AddSingleton(provider => new OtlpListeners(settings.Otlp, provider.GetRequiredService<OtlpReceiver>().Receive, logs));
        return builder.Build();
    }

    private static void Say(EnabledEndpoints enabled, SidecarSettings settings, ILogger logger)
    {
        foreach (var warning in enabled.Warnings)
        {
            Log.Warned(logger, warning);
        }

        if (!enabled.Any)
        {
            Log.Closed(logger, EnabledEndpoints.WhyReflectionV1IsDisabled(settings));
        }
    }

    private static void AddSettings(IServiceCollection services, SidecarSettings settings)
    {
        services.AddSingleton(settings.Application);
        services.AddSingleton(settings.Manager);
        services.AddSingleton(settings.Runtime);
        services.AddSingleton(settings.ReflectionV1);
        services.AddSingleton(settings.FlowServer);
        services.AddSingleton(settings.Limits);
        services.AddSingleton(settings.Telemetry);
        services.AddSingleton(settings.Otlp);
        services.AddSingleton(settings.Health);
        services.AddSingleton(settings.Process);
    }

    private static void AddRuntime(IServiceCollection services, SidecarSettings settings, EnabledEndpoints enabled)
    {
        services.AddSingleton(provider => ApplicationClientOptions.From(settings.Application, settings.Limits, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ApplicationClient>();
        services.AddSingleton(TelemetryOptions.From(settings.Telemetry, enabled));
        services.AddSingleton<TelemetryServer>();
        services.AddSingleton<KnownTraces>();
        services.AddSingleton<TraceExporter>();
        services.AddSingleton<Tracer>();
        services.AddSingleton<OtlpReceiver>();
        services.AddSingleton<ActiveRuns>();
        services.AddSingleton(provider => new IdleCollector(provider.GetRequiredService<ActiveRuns>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ApplicationReadiness>(provider, settings.Application.StartTimeout));
        services.AddSingleton<ManagerLocator>();
        services.AddSingleton<RuntimeIdClaim>();
        services.AddSingleton<ManagerStatus>();
    }

    private static void AddEndpoints(IServiceCollection services, EnabledEndpoints enabled)
    {
        services.AddSingleton(enabled);
        if (enabled.ReflectionV2)
        {
            services.AddHostedService<ManagerConnectionLoop>();
        }

        services.AddSingleton<ReflectionV1Status>();
        if (enabled.ReflectionV1)
        {
            services.AddSingleton<Callers>();
            services.AddSingleton<RuntimeFile>();
            services.AddSingleton<ReflectionV1Endpoints>();
            services.AddSingleton<ReflectionV1Listener>();
        }

        if (enabled.FlowServer)
        {
            services.AddSingleton<FlowEndpoints>();
            services.AddSingleton<FlowListener>();
        }

        // What is added later is stopped earlier: first the runtime file goes, then runs end, and the manager hears the goodbye when none is left.
        if (enabled.ReflectionV1 || enabled.FlowServer)
        {
            services.AddHostedService<HttpEndpointsShutdown>();
        }

        if (enabled.ReflectionV1)
        {
            services.AddHostedService<RuntimeFileService>();
        }
    }

    private static void AddHealth(IServiceCollection services, HealthSettings settings)
    {
        services.AddSingleton(_ => SidecarMeter.Create());
        services.AddSingleton<RunMetrics>();
        services.AddSingleton<ManagerMetrics>();
        services.AddSingleton<TelemetryMetrics>();
        services.AddSingleton<SidecarHealth>();
        if (settings.Address.EndPoint is null)
        {
            return;
        }

        services.AddSingleton(provider =>
        {
            var meter = provider.GetRequiredService<Meter>();
            ProcessMetrics.AddTo(meter);
            return new MetricsCollector(meter);
        });
        services.AddSingleton<HealthEndpoints>();
        services.AddSingleton<HealthListener>();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Warning}", EventName = "SettingsWarning")]
        public static partial void Warned(ILogger logger, string warning);

        [LoggerMessage(LogLevel.Information, "No endpoint is enabled, as {Reason} and none was named: the command runs by itself", EventName = "NoEndpointOpened")]
        public static partial void Closed(ILogger logger, string reason);
    }
}
