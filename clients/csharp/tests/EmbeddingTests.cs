using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Genkit.Sidecar.Client.Tests.Infrastructure;
using Genkit.Sidecar.Client.Tests.Shop;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>An application inside an ASP.NET Core application, combined with its other features.</summary>
public sealed class EmbeddingTests : EmbeddingTest
{
    private readonly Application _application = new("embedded");

    public EmbeddingTests() => _application.Flow("echo", (RawJson input) => input);

    [Fact]
    public async Task OwnService_IsServedOnTheSamePort()
    {
        var address = await StartAsync(builder => builder.Services.AddGenkit(_application), app =>
        {
            app.MapGrpcService<OrdersService>();
            app.MapGenkit();
        });

        Assert.Equal(3, (await new Orders.OrdersClient(Connect(address)).CountAsync(new CountRequest { Customer = "Ada" }, cancellationToken: Cancellation)).Count);
        Assert.Equal("1", (await RunAsync(Actions(address), "/flow/echo", "1")).Result);
    }

    [Fact]
    public async Task Interceptor_OfAllServices_SeesTheCalls_AndMayRefuseThem()
    {
        var calls = new CallLog();
        _application.Flow("chat", Chat);
        var address = await StartAsync(
            builder =>
            {
                builder.Services.AddSingleton(calls).AddGrpc(grpc => grpc.Interceptors.Add<Recorder>());
                builder.Services.AddGenkit(_application);
            },
            app =>
            {
                app.MapGrpcService<OrdersService>();
                app.MapGenkit(health: false);
            });
        var client = Actions(address);

        await client.ListActionsAsync(new V1.ListActionsRequest(), cancellationToken: Cancellation);
        Assert.Equal(["\"a\""], (await RunAsync(client, "/flow/chat", "\"a\"")).Chunks);
        using var bidi = client.RunBidiAction(cancellationToken: Cancellation);
        await bidi.RequestStream.WriteAsync(new V1.RunBidiActionRequest { Start = Caller.RequestOf("/flow/chat") }, Cancellation);
        await bidi.RequestStream.WriteAsync(Caller.ChunkOf("\"b\""), Cancellation);
        Assert.True(await bidi.ResponseStream.MoveNext(Cancellation));
        Assert.Equal("\"b\"", bidi.ResponseStream.Current.ChunkJson.ToStringUtf8());
        await bidi.RequestStream.CompleteAsync();
        Assert.True(await bidi.ResponseStream.MoveNext(Cancellation));
        Assert.False(await bidi.ResponseStream.MoveNext(Cancellation));

        Assert.Equal(["ListActions", "RunAction", "RunBidiAction"], calls.Methods);
        Assert.Equal(StatusCode.PermissionDenied, await FailAsync(() => RunAsync(client, "/flow/chat", headers: new Metadata { { "refuse", "me" } })));

        static async IAsyncEnumerable<string> Chat(IAsyncEnumerable<string> messages)
        {
            await foreach (var message in messages)
            {
                yield return message;
            }
        }
    }

    [Fact]
    public async Task Interceptor_OfTheActionsAlone_SeesNoOtherService()
    {
        var calls = new CallLog();
        var address = await StartAsync(
            builder =>
            {
                builder.Services.AddSingleton(calls);
                builder.Services.AddGenkit(_application, genkit => genkit.Interceptors.Add<Recorder>());
            },
            app =>
            {
                app.MapGrpcService<OrdersService>();
                app.MapGenkit();
            });

        await new Orders.OrdersClient(Connect(address)).CountAsync(new CountRequest(), cancellationToken: Cancellation);
        await RunAsync(Actions(address), "/flow/echo", "1");

        Assert.Equal(["RunAction"], calls.Methods);
    }

    [Fact]
    public async Task ScopedService_LivesAsLongAsItsRun()
    {
        var basket = new TaskCompletionSource<Basket>();
        _application.Flow("basket", async (ActionRunContext context, [FromServices] Basket injected) =>
        {
            basket.TrySetResult(injected);
            await context.SendChunkAsync(injected.IsDisposed);
            return ReferenceEquals(injected, context.Services.GetRequiredService<Basket>());
        });
        _application.Flow("discount", ([FromKeyedServices("summer")] Basket injected) => injected.Name);
        var address = await StartAsync(
            builder =>
            {
                builder.Services.AddScoped(_ => new Basket("any")).AddKeyedScoped("summer", (_, key) => new Basket($"{key}"));
                builder.Services.AddGenkit(_application);
            },
            app => app.MapGenkit());
        var client = Actions(address);

        var outcome = await RunAsync(client, "/flow/basket");

        Assert.Equal(["false"], outcome.Chunks);
        Assert.Equal("true", outcome.Result);
        await (await basket.Task).Disposed.WaitAsync(Cancellation);
        Assert.Equal("true", (await RunAsync(client, "/flow/basket")).Result);
        Assert.Equal("\"summer\"", (await RunAsync(client, "/flow/discount")).Result);
    }

    [Fact]
    public async Task Authorization_IsAspNetCores()
    {
        _application.Flow("who", (ActionRunContext context) => context.HttpContext.User.Identity!.Name);
        var address = await StartAsync(
            builder =>
            {
                builder.Services.AddAuthentication("token").AddScheme<AuthenticationSchemeOptions, TokenHandler>("token", null);
                builder.Services.AddAuthorization();
                builder.Services.AddGenkit(_application);
            },
            app =>
            {
                app.MapGrpcService<OrdersService>();
                app.MapGenkit().RequireAuthorization(new AuthorizeAttribute { Roles = "tools" });
            });
        var client = Actions(address);

        Assert.Equal(StatusCode.Unauthenticated, await FailAsync(() => RunAsync(client, "/flow/who")));
        Assert.Equal(StatusCode.PermissionDenied, await FailAsync(() => RunAsync(client, "/flow/who", headers: new Metadata { { "authorization", "ada people" } })));
        Assert.Equal("\"ada\"", (await RunAsync(client, "/flow/who", headers: new Metadata { { "authorization", "ada tools" } })).Result);
        Assert.Equal(3, (await new Orders.OrdersClient(Connect(address)).CountAsync(new CountRequest(), cancellationToken: Cancellation)).Count);
    }

    [Theory]
    [InlineData(null, null, 40 << 20, true)] // more than Kestrel's body limit of 30 MB
    [InlineData(1000, null, 2000, false)]
    [InlineData(1000, 3000, 2000, true)]
    [InlineData(1000, 3000, 4000, false)]
    [InlineData(4 << 20, null, 5 << 20, false)]
    public async Task MessageLimit_IsThatOfTheActions_ElseOfAllServices_Else100MiB(int? ofAll, int? ofActions, int bytes, bool passes)
    {
        _application.Flow("length", (RawJson input) => input.Utf8.Length);
        var address = await StartAsync(
            builder =>
            {
                if (ofAll is not null)
                {
                    builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = ofAll);
                }

                builder.Services.AddGenkit(_application, genkit => genkit.MaxReceiveMessageSize = ofActions ?? genkit.MaxReceiveMessageSize);
            },
            app => app.MapGenkit());
        var client = Actions(address);
        var input = $"\"{new string('x', bytes - 2)}\"";

        if (passes)
        {
            Assert.Equal($"{bytes}", (await RunAsync(client, "/flow/length", input)).Result);
        }
        else
        {
            Assert.Equal(StatusCode.ResourceExhausted, await FailAsync(() => RunAsync(client, "/flow/length", input)));
        }
    }

    [Fact]
    public async Task Reflection_ListsTheService()
    {
        var address = await StartAsync(
            builder =>
            {
                builder.Services.AddGrpcReflection();
                builder.Services.AddGenkit(_application);
            },
            app =>
            {
                app.MapGrpcService<OrdersService>();
                app.MapGenkit();
                app.MapGrpcReflectionService();
            });
        using var call = new ServerReflection.ServerReflectionClient(Connect(address)).ServerReflectionInfo(cancellationToken: Cancellation);

        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, Cancellation);
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        var services = call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name).ToList();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { FileContainingSymbol = "genkit.sidecar.v1.ActionService" }, Cancellation);
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));

        Assert.Superset(new HashSet<string> { "genkit.sidecar.v1.ActionService", "grpc.health.v1.Health", "shop.Orders" }, services.ToHashSet());
        Assert.NotEmpty(call.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto);

        // Read to the end: disposing the call earlier resets it, and the server would report a failure.
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Cancellation));
    }

    [Fact]
    public async Task Health_IsThatOfTheApplicationsChecks()
    {
        var isHealthy = true;
        var address = await StartAsync(
            builder =>
            {
                builder.Services.AddHealthChecks().AddCheck("database", () => isHealthy ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
                builder.Services.AddGenkit(_application);
            },
            app => app.MapGenkit());
        var client = new Health.HealthClient(Connect(address));

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await CheckAsync());
        isHealthy = false;
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, await CheckAsync());
        Logs.Entries.Clear(); // logged by the health check service

        async Task<HealthCheckResponse.Types.ServingStatus> CheckAsync() =>
            (await client.CheckAsync(new HealthCheckRequest { Service = "genkit.sidecar.v1.ActionService" }, cancellationToken: Cancellation)).Status;
    }

    [Fact]
    public async Task Health_ThatTheApplicationServesItself_IsLeftToIt()
    {
        var address = await StartAsync(builder => builder.Services.AddGenkit(_application), app =>
        {
            app.MapGenkit(health: false);
            app.MapGrpcHealthChecksService();
        });

        var answer = await new Health.HealthClient(Connect(address)).CheckAsync(new HealthCheckRequest(), cancellationToken: Cancellation);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    [Fact]
    public void MapGenkit_WithoutAddGenkit_SaysSo()
    {
        using var app = CreateBuilder().Build();

        Assert.Contains("AddGenkit", Assert.Throws<InvalidOperationException>(() => app.MapGenkit()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddGenkit_CalledAgain_SaysSo()
    {
        var builder = CreateBuilder();
        builder.Services.AddGenkit(_application);

        Assert.Contains("one application", Assert.Throws<InvalidOperationException>(() => builder.Services.AddGenkit(_application)).Message, StringComparison.Ordinal);
    }

    private Task<Uri> StartAsync(Action<WebApplicationBuilder> configure, Action<WebApplication> map)
    {
        var builder = CreateBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2));
        configure(builder);
        var app = builder.Build();
        map(app);
        return StartAsync(app);
    }

    private sealed class CallLog
    {
        public List<string> Methods { get; } = [];

        public void Add(ServerCallContext context)
        {
            if (context.RequestHeaders.GetValue("refuse") is not null)
            {
                throw new RpcException(new Status(StatusCode.PermissionDenied, "refused"));
            }

            Methods.Add(context.Method.Split('/')[^1]);
        }
    }

    private sealed class Recorder(CallLog calls) : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            calls.Add(context);
            return continuation(request, context);
        }

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            calls.Add(context);
            return continuation(request, responseStream, context);
        }

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            calls.Add(context);
            return continuation(requestStream, responseStream, context);
        }
    }

    private sealed class Basket(string name) : IDisposable
    {
        private readonly TaskCompletionSource _disposed = new();

        public string Name => name;

        public Task Disposed => _disposed.Task;

        public bool IsDisposed => _disposed.Task.IsCompleted;

        public void Dispose() => _disposed.TrySetResult();
    }

    /// <summary>Authenticates callers that send a name and a role.</summary>
    private sealed class TokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers.Authorization.ToString().Split(' ') is not [var name, var role])
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, role)], Scheme.Name);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
        }
    }
}
