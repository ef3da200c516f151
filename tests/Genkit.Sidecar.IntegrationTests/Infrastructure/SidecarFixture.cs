using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.Health;
using Genkit.Sidecar.Endpoints.ReflectionV1;
using Genkit.Sidecar.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>
/// The real host in this process, between a manager and an application on real sockets. Fails the test if the sidecar logged an
/// error that the test did not expect.
/// </summary>
internal sealed class SidecarFixture : IAsyncDisposable
{
    private readonly ILoggerFactory _logs;
    private readonly IHost _host;

    private SidecarFixture(SidecarSettings settings)
    {
        _logs = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(Log));
        _host = SidecarHost.Create(settings, _logs, () => Quit.TrySetResult());
    }

    public LogCapture Log { get; } = new();

    /// <summary>Completes when the sidecar has been asked to stop through one of its endpoints.</summary>
    public TaskCompletionSource Quit { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IServiceProvider Services => _host.Services;

    /// <summary>A caller of the health listener, of a sidecar that was started with <c>--health</c>.</summary>
    public HealthPage Health() => new(Services.GetRequiredService<HealthListener>().EndPoint!);

    /// <summary>Starts a sidecar. <paramref name="flags"/> are the command line's, such as <c>--name</c>, <c>x</c>.</summary>
    public static Task<SidecarFixture> StartAsync(Uri manager, string application, params string[] flags) =>
        StartWithoutManagerAsync(application, [.. flags, "--manager", manager.ToString()]);

    /// <summary>Starts a sidecar that finds its manager in another way than by <c>--manager</c>.</summary>
    public static Task<SidecarFixture> StartWithoutManagerAsync(string application, params string[] flags) =>
        StartAsync(Settings([.. flags, "--app", application]));

    public static async Task<SidecarFixture> StartAsync(SidecarSettings settings)
    {
        var fixture = new SidecarFixture(settings);
        Assert.True(await SidecarHost.OpenAsync(fixture.Services, CancellationToken.None));
        await fixture._host.StartAsync();
        return fixture;
    }

    /// <summary>
    /// Reads settings as the command line does, with other defaults: the listeners are off, because their default ports are shared by the machine, and runs that a test
    /// leaves behind are not awaited.
    /// </summary>
    public static SidecarSettings Settings(params string[] flags) => Read(needsEndpoint: true, flags);

    /// <summary>Reads settings of a sidecar without an endpoint, which only supervises its command.</summary>
    public static SidecarSettings Supervising(params string[] flags) => Read(needsEndpoint: false, flags);

    /// <summary>Stops the sidecar as SIGTERM does.</summary>
    public Task StopAsync() => _host.StopAsync().WaitAsync(Timeouts.Default);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_host is IAsyncDisposable host)
        {
            await host.DisposeAsync();
        }

        _logs.Dispose();
        Assert.Empty(Log.UnexpectedErrors);
    }

    private static SidecarSettings Read(bool needsEndpoint, string[] flags)
    {
        string[] words = [.. flags];
        foreach (var (flag, value) in new[] { ("--health", "off"), ("--otlp-grpc", "off"), ("--otlp-http", "off"), ("--drain-timeout", "0") })
        {
            words = flags.Contains(flag) ? words : [.. words, flag, value];
        }

        var line = Cli.CommandLine.Parse(["run", .. words]);
        var reading = SettingsReader.Read(line.Flags, new Dictionary<string, string>(), needsEndpoint);
        string[] problems = [.. line.Problems, .. reading.Problems];
        return problems.Length == 0 && reading.IsGood
            ? reading.Settings
            : throw new ArgumentException(string.Join('\n', problems));
    }
}
