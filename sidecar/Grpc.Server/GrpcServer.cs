using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Grpc.Server;

/// <summary>
/// Methods by their paths, and the request delegate that serves them: <c>app.Run(server.HandleAsync)</c> on a server of its own, or
/// <see cref="GrpcEndpoints.MapGrpc"/> beside other endpoints. Safe for use by several threads once the methods are added.
/// </summary>
public sealed class GrpcServer
{
    private const string ContentType = "application/grpc";

    private readonly Dictionary<string, GrpcHandler> _methods = new(StringComparer.Ordinal);
    private readonly GrpcServerOptions _options;
    private readonly ILogger _logger;

    /// <summary>Makes a server without methods.</summary>
    public GrpcServer(GrpcServerOptions options, ILogger<GrpcServer> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxReceiveMessageBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxSendMessageBytes);
        _options = options;
        _logger = logger;
    }

    /// <summary>The services that have methods here, such as <c>package.Service</c>.</summary>
    internal IEnumerable<string> Services => _methods.Keys.Select(method => method[1..method.LastIndexOf('/')]).Distinct();

    /// <summary>Adds a method, before the first call.</summary>
    /// <param name="method">The path of the method: <c>/package.Service/Method</c>.</param>
    /// <param name="handler">Serves its calls.</param>
    /// <exception cref="ArgumentException">The method is not a path of two parts, or is there.</exception>
    public void Add(string method, GrpcHandler handler)
    {
        MethodPath.ThrowIfInvalid(method);
        ArgumentNullException.ThrowIfNull(handler);
        _methods.Add(method, handler);
    }

    /// <summary>Serves one request; what is not gRPC gets an HTTP error.</summary>
    public Task HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = context.Request;
        var response = context.Response;
        if (!HttpProtocol.IsHttp2(request.Protocol))
        {
            response.StatusCode = StatusCodes.Status426UpgradeRequired;
            response.Headers.Upgrade = "HTTP/2";
            return Task.CompletedTask;
        }

        if (!HttpMethods.IsPost(request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = HttpMethods.Post;
            return Task.CompletedTask;
        }

        if (!IsGrpc(request.ContentType))
        {
            response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Task.CompletedTask;
        }

        response.ContentType = ContentType;
        return Refusal(request, response, out var handler, out var timeout) is { } refusal
            ? Refuse(response, refusal)
            : ServeAsync(context, handler!, timeout);
    }

    private GrpcStatus? Refusal(HttpRequest request, HttpResponse response, out GrpcHandler? handler, out TimeSpan? timeout)
    {
        timeout = null;
        if (!_methods.TryGetValue(request.Path.Value ?? "", out handler))
        {
            return new GrpcStatus(GrpcStatusCode.Unimplemented, $"this server does not offer the method {request.Path.Value}");
        }

        if (!HeaderList.Contains(request.Headers.TE, "trailers"))
        {
            return new GrpcStatus(GrpcStatusCode.Internal, "the request has no 'te: trailers': something on its way does not pass trailers on, and they tell how a call ended");
        }

        if (request.Headers.GrpcEncoding.ToString() is not ("" or "identity" or Gzip.Name) and var encoding)
        {
            response.Headers.GrpcAcceptEncoding = "identity,gzip";
            return new GrpcStatus(GrpcStatusCode.Unimplemented, $"this server does not take the compression '{encoding}', but identity and gzip");
        }

        if (request.Headers.GrpcTimeout is { Count: > 0 } header)
        {
            timeout = TimeoutHeader.Decode(header.ToString());
            if (timeout is null)
            {
                return new GrpcStatus(GrpcStatusCode.Internal, $"grpc-timeout is '{header}', not eight digits at most and one of H, M, S, m, u and n");
            }
        }

        return null;
    }

    private static Task Refuse(HttpResponse response, GrpcStatus status)
    {
        StatusHeaders.Write(response.Headers, status, trailers: null);
        return Task.CompletedTask;
    }

    private async Task ServeAsync(HttpContext context, GrpcHandler handler, TimeSpan? timeout)
    {
        // A call may be silent for as long as it likes, and a stream as long as it likes; how large a message may be is this layer's own limit.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (_options.AllowSlowCallers && context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        var call = new GrpcServerCall(context, _options, _logger, timeout);
        await call.ServeAsync(handler).ConfigureAwait(false);
    }

    // The messages of a handler are in one format, so +json and the like are not for it.
    private static bool IsGrpc(string? contentType)
    {
        var type = contentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();
        return type.Equals(ContentType, StringComparison.OrdinalIgnoreCase) || type.Equals("application/grpc+proto", StringComparison.OrdinalIgnoreCase);
    }
}
