using System.Diagnostics.Metrics;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.FlowServer;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.ReflectionV1;
using Genkit.Sidecar.ReflectionV2;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Hosting;

/// <summary>The sidecar as a generic host: one runtime, its application, its runs, and its doors.</summary>
internal static partial class SidecarHost
{
    /// <summary>
    /// Serves whoever comes through an open door until <paramref name="stop"/>. Gives the exit code: 0, or 1 if a listener cannot listen where it
    /// was told to, or if the host stopped by itself, which it does only when it fails.
    /// </summary>
    public static async Task<int> RunAsync(SidecarSettings settings, ILoggerFactory logs, Action quit, CancellationToken stop)
    {
        using var host = Create(settings, logs, quit);
        Say(OpenDoors.Of(settings), logs.CreateLogger("Genkit.Sidecar.Doors"));
        if (!await ListenAsync(host, stop))
        {
            return 1;
        }

        await host.RunAsync(stop);
        return stop.IsCancellationRequested ? 0 : 1;
    }

    /// <summary>Opens the listeners, before the host starts. False if one cannot listen where it was told to.</summary>
    public static async Task<bool> ListenAsync(IHost host, CancellationToken cancellationToken) =>
        await host.Services.GetRequiredService<HealthListener>().OpenAsync(cancellationToken)
        && await host.Services.GetRequiredService<ReflectionV1Listener>().OpenAsync(cancellationToken)
        && await host.Services.GetRequiredService<FlowListener>().OpenAsync(cancellationToken);

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
        AddHealth(builder.Services);
        return builder.Build();
    }

    private static void Say(OpenDoors doors, ILogger logger)
    {
        foreach (var warning in doors.Warnings)
        {
            Log.Warned(logger, warning);
        }

        if (!doors.Any)
        {
            Log.Closed(logger, SettingTable.GenkitEnv.EnvironmentVariable);
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
        services.AddSingleton<TraceExporter>();
        services.AddSingleton<Tracer>();
        services.AddSingleton<ActiveRuns>();
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
        services.AddSingleton<Callers>();
        services.AddSingleton<RuntimeFile>();
        services.AddSingleton<ReflectionV1Endpoints>();
        services.AddSingleton<ReflectionV1Listener>();
        if (doors.ReflectionV1)
        {
            // After the other, and so stopped before it: that one says goodbye when no run is left.
            services.AddHostedService<ReflectionV1Door>();
        }

        services.AddSingleton<FlowEndpoints>();
        services.AddSingleton<FlowListener>();
    }

    private static void AddHealth(IServiceCollection services)
    {
        services.AddSingleton(_ => SidecarMeter.Create());
        services.AddSingleton<RunMetrics>();
        services.AddSingleton<ManagerMetrics>();
        services.AddSingleton<TelemetryMetrics>();
        services.AddSingleton(provider =>
        {
            var meter = provider.GetRequiredService<Meter>();
            ProcessMetrics.AddTo(meter);
            return new MetricsCollector(meter);
        });
        services.AddSingleton<SidecarHealth>();
        services.AddSingleton<HealthEndpoints>();
        services.AddSingleton<HealthListener>();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Warning}")]
        public static partial void Warned(ILogger logger, string warning);

        [LoggerMessage(LogLevel.Information, "No door is open, as {Variable} is not dev and none was named: the command runs by itself")]
        public static partial void Closed(ILogger logger, string variable);
    }
}
