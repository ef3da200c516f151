using System.Collections.Concurrent;
using System.Net;
using Genkit.Sidecar.Grpc.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Grpc.Tests.Server;

/// <summary>Kestrel with a gRPC server on a free port. Disposing fails on errors in the log that the test did not take.</summary>
internal sealed class GrpcHost : IAsyncDisposable
{
    public const string Method = "/test.Test/Method";

    private readonly ErrorLog _log;

    private GrpcHost(WebApplication application, ErrorLog log)
    {
        Application = application;
        _log = log;
    }

    public WebApplication Application { get; }

    public string Address => Application.Urls.Single();

    /// <summary>Starts a server of its own with one method, <c>/test.Test/Method</c>.</summary>
    public static Task<GrpcHost> StartAsync(GrpcHandler handler, GrpcServerOptions? options = null) =>
        StartAsync(server => server.Add(Method, handler), options);

    public static Task<GrpcHost> StartAsync(Action<GrpcServer> methods, GrpcServerOptions? options = null) =>
        StartAsync(options, methods, static (application, server) => application.Run(server.HandleAsync));

    public static async Task<GrpcHost> StartAsync(
        GrpcServerOptions? options, Action<GrpcServer> methods, Action<WebApplication, GrpcServer> mount, Action<ListenOptions>? listen = null, string? socketPath = null)
    {
        var log = new ErrorLog();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AllowSlowReaders();
            kestrel.Limits.Http2.MaxStreamsPerConnection = 2000;
            listen ??= static endpoint => endpoint.Protocols = HttpProtocols.Http2;
            if (socketPath is null)
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen);
            }
            else
            {
                kestrel.ListenUnixSocket(socketPath, listen);
            }
        });
        var application = builder.Build();
        var server = new GrpcServer(options ?? new GrpcServerOptions(), application.Services.GetRequiredService<ILogger<GrpcServer>>());
        methods(server);
        mount(application, server);
        await application.StartAsync();
        return new GrpcHost(application, log);
    }

    /// <summary>The errors logged so far, which the test expected.</summary>
    public IReadOnlyList<Exception?> TakeErrors() => _log.Take();

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await Application.StopAsync(now.Token);
        await Application.DisposeAsync();
        Assert.Empty(_log.Take());
    }

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<Exception?> _errors = new();

        public List<Exception?> Take()
        {
            List<Exception?> taken = [];
            while (_errors.TryDequeue(out var error))
            {
                taken.Add(error);
            }

            return taken;
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                _errors.Enqueue(exception);
            }
        }

        public void Dispose()
        {
        }
    }
}
