using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary>A server that <see cref="Application.StartAsync"/> has started.</summary>
public sealed class RunningServer : IAsyncDisposable
{
    /// <summary>Time that handlers have to clean up after cancellation.</summary>
    private static readonly TimeSpan s_cleanup = TimeSpan.FromSeconds(1);

    private readonly WebApplication _server;
    private readonly CancellationTokenSource _runs;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _stops;

    private RunningServer(WebApplication server, CancellationTokenSource runs, string address) => (_server, _runs, Address) = (server, runs, address);

    /// <summary>Address that the server listens on, with the port that was selected.</summary>
    public string Address { get; }

    /// <summary>Completes when the server has stopped.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>
    /// Stops accepting calls, reports NOT_SERVING, lets active runs continue for the grace period, and then cancels them. A second call replaces the grace period.
    /// </summary>
    /// <param name="grace">The grace period. Defaults to zero.</param>
    public async Task StopAsync(TimeSpan grace = default)
    {
        if (_stopped.Task.IsCompleted)
        {
            return;
        }

        _runs.CancelAfter(grace);
        if (Interlocked.Increment(ref _stops) > 1)
        {
            await _stopped.Task.ConfigureAwait(false);
            return;
        }

        try
        {
            using var abort = new CancellationTokenSource();
            await using var cancelled = _runs.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).CancelAfter(s_cleanup), abort).ConfigureAwait(false);
            await _server.StopAsync(abort.Token).ConfigureAwait(false);
            await _server.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _stopped.TrySetResult();
        }
    }

    /// <summary>Stops the server at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _runs.Dispose();
    }

    /// <exception cref="InvalidOperationException">The server cannot listen on the address.</exception>
    internal static async Task<RunningServer> StartAsync(Application application, ListenAddress address, ServeOptions options, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddEnvironmentVariables(); // OpenTelemetry reads its settings from the configuration
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton<IHostLifetime, UnattachedLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        builder.Services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = ListenAddress.Bind);

        var runs = new CancellationTokenSource();
        builder.Services.AddGenkit(application, new RunCancellation(runs.Token));

        ListenOptions? listening = null;
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => listening = new SidecarEndpoint(address).AddTo(kestrel, options.Endpoint));
        options.Configure?.Invoke(builder);

        var server = builder.Build();
        server.MapGenkit();
        try
        {
            address.RemoveStaleSocket();
            await server.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            runs.Dispose();
            if (e is IOException or SocketException or UnauthorizedAccessException)
            {
                throw address.CannotListen(e);
            }

            throw;
        }

        return new RunningServer(server, runs, address.With(listening!.EndPoint));
    }
}
