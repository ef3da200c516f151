using System.Diagnostics.Metrics;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.FlowServer;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Otlp;
using Genkit.Sidecar.ReflectionV1;
using Genkit.Sidecar.ReflectionV2;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Hosting;

/// <summary>The sidecar as a generic host: one runtime, its application, its runs, and its doors.</summary>
internal static partial class SidecarHost
{
    private static readonly Task<bool> s_isOff = Task.FromResult(true);

    /// <summary>
    /// Serves whoever comes through an open door until <paramref name="stop"/>. Gives the exit code: 0, or 1 if a listener cannot listen where it
    /// is to, or if the host stopped by itself, which it does only when it fails.
    /// </summary>
    /// <param name="settings">How.</param>
    /// <param name="logs">Where all parts log to.</param>
    /// <param name="listening">Is told where a process of this machine can send OTLP, as soon as it can.</param>
    /// <param name="quit">Is called by whoever may stop the sidecar through a door.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<int> RunAsync(
        SidecarSettings settings, ILoggerFactory logs, Action<OtlpEndpoints> listening, Action quit, CancellationToken stop)
    {
        using var host = Create(settings, logs, quit);
        Say(OpenDoors.Of(settings), settings, logs.CreateLogger("Genkit.Sidecar.Doors"));
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
    /// are disposed of. False if one cannot listen where it is to; the log says why.
    /// </summary>
    public static async Task<bool> OpenAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var otlp = services.GetRequiredService<OtlpListeners>();
        if (!await otlp.OpenAsync(cancellationToken))
        {
            return false;
        }

        // Before a probe may be the first to connect to the application.
        services.GetRequiredService<GrpcApplication>().OtlpEndpoints = otlp.EndpointsFor(services.GetRequiredService<SidecarSettings>().App);

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
        builder.Services.AddSingleton<IHostLifetime, OutsideLifetime>();

        // Whoever asked the host to stop bounds how long that takes, by --drain-timeout. Its own limit of 30 s would cut runs short.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        AddRuntime(builder.Services, settings);
        AddDoors(builder.Services, OpenDoors.Of(settings));
        builder.Services.AddSingleton(new Quit(quit));
        AddHealth(builder.Services, settings);
        builder.Services.AddSingleton(provider => new OtlpListeners(settings, provider.GetRequiredService<OtlpReceiver>().Receive, logs));
        return builder.Build();
    }

    private static void Say(OpenDoors doors, SidecarSettings settings, ILogger logger)
    {
        foreach (var warning in doors.Warnings)
        {
            Log.Warned(logger, warning);
        }

        if (!doors.Any)
        {
            Log.Closed(logger, OpenDoors.WhyReflectionV1IsShut(settings));
        }
    }

    private static void AddRuntime(IServiceCollection services, SidecarSettings settings)
    {
        services.AddSingleton(settings);
        services.AddSingleton(RunLimits.From(settings));
        services.AddSingleton(provider => ApplicationChannel.Options(settings, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<GrpcApplication>();
        services.AddSingleton(TelemetryOptions.From(settings));
        services.AddSingleton<TelemetryServer>();
        services.AddSingleton<KnownTraces>();
        services.AddSingleton<TraceExporter>();
        services.AddSingleton<Tracer>();
        services.AddSingleton<OtlpReceiver>();
        services.AddSingleton<ActiveRuns>();
        services.AddSingleton(provider => new IdleCollector(provider.GetRequiredService<ActiveRuns>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ApplicationStart>(provider, settings.AppStartTimeout));
        services.AddSingleton<ManagerLocator>();
        services.AddSingleton<RuntimeIdClaim>();
        services.AddSingleton<ManagerStatus>();
    }

    private static void AddDoors(IServiceCollection services, OpenDoors doors)
    {
        services.AddSingleton(doors);
        if (doors.ReflectionV2)
        {
            services.AddHostedService<ManagerConnection>();
        }

        services.AddSingleton<ReflectionV1Status>();
        if (doors.ReflectionV1)
        {
            services.AddSingleton<Callers>();
            services.AddSingleton<RuntimeFile>();
            services.AddSingleton<ReflectionV1Endpoints>();
            services.AddSingleton<ReflectionV1Listener>();
        }

        if (doors.FlowServer)
        {
            services.AddSingleton<FlowEndpoints>();
            services.AddSingleton<FlowListener>();
        }

        // What is added later is stopped earlier: first the runtime file goes, then runs end, and the manager hears the goodbye when none is left.
        if (doors.ReflectionV1 || doors.FlowServer)
        {
            services.AddHostedService<HttpDoorsEnd>();
        }

        if (doors.ReflectionV1)
        {
            services.AddHostedService<ReflectionV1Door>();
        }
    }

    private static void AddHealth(IServiceCollection services, SidecarSettings settings)
    {
        services.AddSingleton(_ => SidecarMeter.Create());
        services.AddSingleton<RunMetrics>();
        services.AddSingleton<ManagerMetrics>();
        services.AddSingleton<TelemetryMetrics>();
        services.AddSingleton<SidecarHealth>();
        if (settings.Health.EndPoint is null)
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

        [LoggerMessage(LogLevel.Information, "No door is open, as {Reason} and none was named: the command runs by itself", EventName = "NoEndpointOpened")]
        public static partial void Closed(ILogger logger, string reason);
    }
}
