using System.Threading.RateLimiting;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Otlp;
using global::Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>The endpoints of OTLP over gRPC, which is HTTP/2, and over HTTP/1.1. Both share one pipeline.</summary>
internal sealed class OtlpRoutes(OtlpSettings settings, OtlpHandler handler) : IDisposable
{
    /// <summary>How many requests are in memory at a time, over whatever protocol they come; the others wait in their sockets.</summary>
    private const int AtATime = 4;

    private static readonly (string Path, OtlpSignal Signal)[] s_paths =
        [("/v1/traces", OtlpSignal.Traces), ("/v1/metrics", OtlpSignal.Metrics), ("/v1/logs", OtlpSignal.Logs)];

    private readonly OtlpHttpService _http = new(settings, handler);

    // Connections and HTTP/2's streams bound the queue. Not by UseRateLimiter: a limiter of partitions wakes the idle process ten times a second.
    private readonly ConcurrencyLimiter _turns = new(new ConcurrencyLimiterOptions { PermitLimit = AtATime, QueueLimit = int.MaxValue });

    /// <summary>Adds what the middleware and the gRPC service need.</summary>
    public void AddServices(IServiceCollection services)
    {
        if (settings.GrpcAddress.EndPoint is not null)
        {
            services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = checked((int)settings.MaxRequestBytes));
            services.AddSingleton(new OtlpGrpcService(handler));

            // Grpc.AspNetCore logs a caller's bad bytes as an error of the service, which could fill the log. The handler logs its own errors.
            services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
            services.AddSingleton<IServiceMethodProvider<OtlpGrpcService>, OtlpGrpcMethods>();
        }
    }

    /// <summary>Adds the middleware and maps the endpoints of the protocols that are on.</summary>
    public void Map(IApplicationBuilder application)
    {
        application.Use(OtlpHttpService.AnswerAsync);
        application.UseWhen(context => !IsGrpc(context), http => http.Use(OtlpHttpService.RefuseWebPagesAsync));
        application.Use(RequireTokenAsync);
        application.Use(WaitForTurnAsync);
        application.UseRouting();
        application.UseEndpoints(endpoints =>
        {
            if (settings.GrpcAddress.EndPoint is not null)
            {
                endpoints.MapGrpcService<OtlpGrpcService>();
            }

            if (settings.HttpAddress.EndPoint is not null)
            {
                foreach (var (path, signal) in s_paths)
                {
                    endpoints.MapPost(path, context => _http.ExportAsync(context, signal));
                    endpoints.Map(path, OtlpHttpService.RefuseMethodAsync);
                }

                endpoints.MapFallback("{**path}", OtlpHttpService.RefusePathAsync);
            }
        });
    }

    public void Dispose() => _turns.Dispose();

    /// <summary>Whether a request came to the listener for gRPC, which takes HTTP/2 alone.</summary>
    private static bool IsGrpc(HttpContext context) => HttpProtocol.IsHttp2(context.Request.Protocol);

    /// <summary>Before any of the body is read.</summary>
    private Task RequireTokenAsync(HttpContext context, RequestDelegate next)
    {
        if (settings.Token is not { } token || token.IsIn(context.Request.Headers.Authorization.ToString()))
        {
            return next(context);
        }

        if (!IsGrpc(context))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return OtlpHttpService.RefuseAsync(context, StatusCodes.Status401Unauthorized, StatusCode.Unauthenticated, OtlpResponse.NoToken);
        }

        // A response of headers alone, "Trailers-Only" in https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses.
        context.Response.ContentType = "application/grpc";
        context.Response.Headers.GrpcStatus = $"{(int)StatusCode.Unauthenticated}";
        context.Response.Headers.GrpcMessage = OtlpResponse.NoToken;
        return Task.CompletedTask;
    }

    /// <summary>A request that is not read yet takes no memory but the socket's, or HTTP/2's window.</summary>
    private async Task WaitForTurnAsync(HttpContext context, RequestDelegate next)
    {
        using var turn = await _turns.AcquireAsync(permitCount: 1, context.RequestAborted);
        await next(context);
    }
}
