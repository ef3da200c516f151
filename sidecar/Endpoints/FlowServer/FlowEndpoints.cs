using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.Http;
using Genkit.Sidecar.Runs;
using Grpc.Core;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>The way of a request from the socket to its run: who asks, how often, for what. ASP.NET Core's own middleware where it fits.</summary>
internal sealed partial class FlowEndpoints : IDisposable
{
    public const string RequestIdHeader = "x-request-id";

    /// <summary>Exempt from the token and the rate limit, because load balancers request it often and have no token.</summary>
    public const string HealthPath = "/healthz";

    private const int LongestRequestId = 128;

    /// <summary>What is shorter only grows.</summary>
    private const int LeastCompressed = 1024;

    private readonly FlowServerSettings _settings;
    private readonly SidecarHealth _health;
    private readonly CallerGuard _guard;
    private readonly FlowRoutes _routes;
    private readonly RateLimits _limits;
    private readonly FlowHandler _handler;
    private readonly ILogger _logger;

    public FlowEndpoints(FlowServerSettings settings, EnabledEndpoints enabled, SidecarHealth health, ActiveRuns runs, TimeProvider time, ILoggerFactory logs)
    {
        _settings = settings;
        _health = health;
        _guard = new CallerGuard(_settings);
        _routes = new FlowRoutes(_settings);
        _limits = new RateLimits(_settings);
        _logger = logs.CreateLogger<FlowEndpoints>();
        _handler = new FlowHandler(_settings, enabled.InternalMessages, runs, time, _logger);
    }

    /// <summary>Adds what the middleware needs.</summary>
    public void AddServices(IServiceCollection services)
    {
        services.AddRateLimiter();
        if (_settings.CorsOrigins.Count > 0)
        {
            services.AddCors();
        }

        if (_settings.Compression)
        {
            services.AddResponseCompression(compression => compression.MimeTypes = ["application/json"]);
            services.AddSingleton<IResponseCompressionProvider, LongResponses>();
        }
    }

    /// <summary>Adds the middleware, in the order in which a request may be refused, and maps the endpoints.</summary>
    public void Map(IApplicationBuilder application)
    {
        application.Use(AnswerAsync);
        application.UseRouting();
        application.Use(Refusing(_guard.FindStranger));
        if (_settings.CorsOrigins.Count > 0)
        {
            application.UseCors(policy => policy
                .WithOrigins([.. _settings.CorsOrigins])
                .WithMethods(HttpMethods.Post)
                .AllowAnyHeader()
                .WithExposedHeaders(FlowHandler.TraceIdHeader, FlowHandler.SpanIdHeader, RequestIdHeader, HeaderNames.RetryAfter)
                .SetPreflightMaxAge(TimeSpan.FromMinutes(10)));
        }

        if (_settings.Compression)
        {
            // What compresses events holds them back.
            application.UseWhen(context => !FlowHandler.WantsEvents(context.Request), answers => answers.UseResponseCompression());
        }

        // Before the token, so that guessing it takes long.
        application.UseRateLimiter(_limits.OfClients);
        application.Use(Refusing(_guard.FindUnknown));
        application.UseRateLimiter(_limits.OfRequests);
        application.UseEndpoints(endpoints =>
        {
            endpoints.MapMethods(HealthPath, [HttpMethods.Get, HttpMethods.Head], AnswerHealthAsync).ShortCircuit();
            endpoints.Map("/{**path}", CallAsync);
        });
    }

    public void Dispose() => _limits.Dispose();

    private static Func<HttpContext, RequestDelegate, Task> Refusing(Func<HttpContext, Refusal?> find) =>
        (context, next) => find(context) is { } refusal ? FlowResponse.WriteRefusalAsync(context, refusal) : next(context);

    private async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        SetHeaders(context);
        try
        {
            await next(context);
            Log.Answered(_logger, RequestId(context), context.Request.Method, context.Response.StatusCode);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // Nothing else ends a request so. Kestrel's own token may not say it yet.
            Log.Gone(_logger, RequestId(context));
        }
    }

    private static void SetHeaders(HttpContext context)
    {
        var headers = context.Response.Headers;
        var given = context.Request.Headers[RequestIdHeader].ToString();
        headers[RequestIdHeader] = given.Length is > 0 and <= LongestRequestId && given.All(c => c is > ' ' and <= '~')
            ? given
            : Guid.CreateVersion7().ToString();
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
    }

    private static string RequestId(HttpContext context) => context.Response.Headers[RequestIdHeader].ToString();

    private static Refusal NotFound(string message) => new(StatusCodes.Status404NotFound, StatusCode.NotFound, message);

    private async Task AnswerHealthAsync(HttpContext context)
    {
        var application = await _health.AskApplicationAsync();
        context.Response.StatusCode = application.Holds ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(application.Holds ? ProbeText.Good : ProbeText.Bad, context.RequestAborted);
    }

    private Task CallAsync(HttpContext context)
    {
        var key = _routes.KeyOf(context.Request.Path.Value ?? "");
        return (key is null ? NotFound("There is no flow at this path") : FindWrong(context)) is { } wrong
            ? FlowResponse.WriteRefusalAsync(context, wrong)
            : _handler.HandleAsync(context, key!, RequestId(context));
    }

    /// <summary>What a flow's path is not called with; null for a call as it should be.</summary>
    private static Refusal? FindWrong(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsPost(request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Post;
            return new Refusal(StatusCodes.Status405MethodNotAllowed, StatusCode.Unimplemented, "Flows are called with POST");
        }

        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity")
        {
            return Unsupported("Compressed bodies are not taken");
        }

        var hasBody = request.ContentLength is null ? request.Headers.TransferEncoding.Count > 0 : request.ContentLength > 0;
        return !hasBody && request.ContentType is null || JsonMediaType.Is(request.ContentType)
            ? null
            : Unsupported("The body must be application/json in UTF-8");
    }

    private static Refusal Unsupported(string message) => new(StatusCodes.Status415UnsupportedMediaType, StatusCode.InvalidArgument, message);

    private sealed class LongResponses(IServiceProvider services, IOptions<ResponseCompressionOptions> options) : ResponseCompressionProvider(services, options)
    {
        public override bool ShouldCompressResponse(HttpContext context) =>
            context.Response.ContentLength >= LeastCompressed && base.ShouldCompressResponse(context);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Request {RequestId}: {Method} was answered with {Status}", EventName = "FlowRequestAnswered")]
        public static partial void Answered(ILogger logger, string requestId, string method, int status);

        [LoggerMessage(LogLevel.Debug, "Request {RequestId}: the client went away before it was answered", EventName = "FlowClientDisconnected")]
        public static partial void Gone(ILogger logger, string requestId);
    }
}
