using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests.Infrastructure;

/// <summary>
/// An application on a real socket that misbehaves on cue. Each method is a delegate over
/// <see cref="FakeCall"/>, which speaks gRPC by hand and so can also speak it wrongly.
/// </summary>
internal sealed class FakeApplication : IAsyncDisposable
{
    public const string Service = "/genkit.sidecar.v1.ActionService/";

    private readonly WebApplication _server;

    private FakeApplication(WebApplication server) => _server = server;

    public string Address { get; private set; } = "";

    public Dictionary<string, Func<FakeCall, Task>> Methods { get; } = new()
    {
        ["ListActions"] = call => call.ReplyAsync(new V1.ListActionsResponse()),
    };

    /// <summary>Handler of one action's runs, plain or bidirectional, by key.</summary>
    public Dictionary<string, Func<FakeCall, V1.RunActionRequest, Task>> Actions { get; } = [];

    /// <summary>The methods that were called, in order.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    /// <param name="address">Null for a free port on loopback; <c>unix:/path</c>; or <c>http://127.0.0.1:port</c> to listen at an earlier address again.</param>
    /// <param name="configure">Configures the listener, for example for TLS.</param>
    public static async Task<FakeApplication> StartAsync(string? address = null, Action<ListenOptions>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;

            // Kestrel resets a bidirectional call that is silent for longer.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            void Listen(ListenOptions options)
            {
                options.Protocols = HttpProtocols.Http2;
                configure?.Invoke(options);
            }

            if (address is not null && address.StartsWith("unix:", StringComparison.Ordinal))
            {
                kestrel.ListenUnixSocket(address["unix:".Length..], Listen);
            }
            else
            {
                kestrel.Listen(IPAddress.Loopback, address is null ? 0 : new Uri(address).Port, Listen);
            }
        });
        if (configure is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        var server = builder.Build();
        var application = new FakeApplication(server);
        server.Run(application.HandleAsync);
        await server.StartAsync();
        var bound = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        application.Address = address ?? bound;
        return application;
    }

    /// <summary>Lists actions under these keys, with the last part as their name.</summary>
    public void List(params string[] keys)
    {
        var response = new V1.ListActionsResponse();
        response.Actions.AddRange(keys.Select(key => new V1.Action { Key = key, Name = key[(key.LastIndexOf('/') + 1)..] }));
        Methods["ListActions"] = call => call.ReplyAsync(response);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var call = new FakeCall(context);
        var path = context.Request.Path.Value!;
        var method = path.StartsWith(Service, StringComparison.Ordinal) ? path[Service.Length..] : "";
        Calls.Enqueue(method);
        try
        {
            if (Methods.TryGetValue(method, out var handler))
            {
                await handler(call);
            }
            else if (method is "RunAction" or "RunBidiAction")
            {
                await RunAsync(call, method);
            }
            else
            {
                call.End(12, $"unknown method {path}");
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            call.Cancelled.TrySetResult();
        }
    }

    private async Task RunAsync(FakeCall call, string method)
    {
        var first = await call.ReadAsync();
        var request = method == "RunAction"
            ? V1.RunActionRequest.Parser.ParseFrom(first)
            : V1.RunBidiActionRequest.Parser.ParseFrom(first).Start;
        if (Actions.TryGetValue(request.Key, out var action))
        {
            await action(call, request);
            call.EndUnlessEnded();
        }
        else
        {
            call.End(5, $"action {request.Key} not found");
        }
    }
}
