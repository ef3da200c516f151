using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Grpc;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Genkit.Sidecar.Otlp;

/// <summary>OTLP over HTTP, in protobuf and in JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp.</summary>
internal sealed class OtlpHttpService(SidecarSettings settings, OtlpHandler handler, OtlpTurns turns)
{
    private const string ProtobufType = "application/x-protobuf";
    private const string JsonType = "application/json";
    private const string Gzip = "gzip";

    // The room that a full queue needs is there as soon as the telemetry server has taken a few spans.
    private const string RetryAfterSeconds = "1";

    private readonly int _maxBytes = checked((int)settings.OtlpMaxRequestBytes);

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            if (await RefuseAsync(context))
            {
                return;
            }

            using var turn = await turns.WaitAsync(context.RequestAborted);
            await ExportAsync(context, SignalOf(context.Request.Path)!.Value, EncodingOf(context.Request)!.Value);
        }
        catch (BadHttpRequestException exception)
        {
            // Kestrel's words of a body that comes too slowly, or not as its headers say.
            var code = exception.StatusCode == StatusCodes.Status408RequestTimeout ? GrpcStatusCode.DeadlineExceeded : GrpcStatusCode.InvalidArgument;
            await RefuseAsync(context, exception.StatusCode, code, exception.Message);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The caller is gone.
        }
    }

    /// <summary>Answers what can be told from the headers to be of no use, before any of the body is read.</summary>
    private async Task<bool> RefuseAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (request.Headers.Origin.Count > 0)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, GrpcStatusCode.PermissionDenied, "requests of web pages are not taken: they could write into anybody's traces");
        }
        else if (SignalOf(request.Path) is null)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, GrpcStatusCode.Unimplemented, "there are /v1/traces, /v1/metrics and /v1/logs");
        }
        else if (!HttpMethods.IsPost(request.Method))
        {
            response.Headers.Allow = HttpMethods.Post;
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, GrpcStatusCode.Unimplemented, "only POST");
        }
        else if (settings.OtlpToken is { } token && !token.IsIn(request.Headers.Authorization.ToString()))
        {
            response.Headers.WWWAuthenticate = "Bearer";
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, GrpcStatusCode.Unauthenticated, OtlpResponse.NoToken);
        }
        else if (EncodingOf(request) is null)
        {
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, GrpcStatusCode.InvalidArgument, $"the content type {Quoted.Text(request.ContentType ?? "")} is not taken, but {ProtobufType} and {JsonType}");
        }
        else if (!IsIdentity(request.Headers.ContentEncoding) && !IsGzip(request.Headers.ContentEncoding))
        {
            response.Headers.AcceptEncoding = Gzip;
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, GrpcStatusCode.InvalidArgument, $"the content encoding {Quoted.Text(request.Headers.ContentEncoding.ToString())} is not taken, but {Gzip} and identity");
        }
        else if (request.ContentLength > _maxBytes)
        {
            await RefuseTooLargeAsync(context);
        }
        else
        {
            return false;
        }

        return true;
    }

    private async Task ExportAsync(HttpContext context, OtlpSignal signal, OtlpEncoding encoding)
    {
        var request = context.Request;
        using var body = new OtlpBody(_maxBytes);
        using var decompressed = new OtlpBody(_maxBytes);
        var isWhole = await body.TryReadAsync(request.Body, request.ContentLength, context.RequestAborted);
        if (isWhole && IsGzip(request.Headers.ContentEncoding))
        {
            try
            {
                isWhole = await decompressed.TryDecompressAsync(body, context.RequestAborted);
            }
            catch (InvalidDataException)
            {
                await RefuseAsync(context, StatusCodes.Status400BadRequest, GrpcStatusCode.InvalidArgument, "the body is not in gzip, or is cut short");
                return;
            }
        }

        if (!isWhole)
        {
            await RefuseTooLargeAsync(context);
            return;
        }

        var reply = handler(signal, encoding, IsGzip(request.Headers.ContentEncoding) ? decompressed.Bytes : body.Bytes);
        switch (reply.Verdict)
        {
            case OtlpVerdict.Malformed:
                await RefuseAsync(context, StatusCodes.Status400BadRequest, GrpcStatusCode.InvalidArgument, reply.Problem);
                break;
            case OtlpVerdict.Overloaded:
                context.Response.Headers.RetryAfter = RetryAfterSeconds;
                await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, GrpcStatusCode.Unavailable, reply.Problem);
                break;
            default:
                await AnswerAsync(context, StatusCodes.Status200OK, encoding, OtlpResponse.Accepted(signal, encoding, reply));
                break;
        }
    }

    private Task RefuseTooLargeAsync(HttpContext context) => RefuseAsync(
        context,
        StatusCodes.Status413PayloadTooLarge,
        GrpcStatusCode.ResourceExhausted,
        $"the request has more than the {_maxBytes} bytes that {SettingTable.OtlpMaxRequestBytes.Flag} allows, as it is or after decompression");

    private static Task RefuseAsync(HttpContext context, int status, GrpcStatusCode code, string message)
    {
        // Of a request whose encoding is none of OTLP's, people read the answer.
        var encoding = EncodingOf(context.Request) ?? OtlpEncoding.Json;
        return AnswerAsync(context, status, encoding, OtlpResponse.Refused(encoding, code, message));
    }

    private static async Task AnswerAsync(HttpContext context, int status, OtlpEncoding encoding, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = encoding == OtlpEncoding.Json ? JsonType : ProtobufType;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    private static OtlpSignal? SignalOf(PathString path) => path.Value switch
    {
        "/v1/traces" => OtlpSignal.Traces,
        "/v1/metrics" => OtlpSignal.Metrics,
        "/v1/logs" => OtlpSignal.Logs,
        _ => null,
    };

    private static OtlpEncoding? EncodingOf(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            return null;
        }

        return type.MediaType.Equals(ProtobufType, StringComparison.OrdinalIgnoreCase) ? OtlpEncoding.Protobuf
            : type.MediaType.Equals(JsonType, StringComparison.OrdinalIgnoreCase) ? OtlpEncoding.Json
            : null;
    }

    private static bool IsIdentity(StringValues encoding) => encoding.ToString() is "" || encoding.ToString().Equals("identity", StringComparison.OrdinalIgnoreCase);

    private static bool IsGzip(StringValues encoding) => encoding.ToString().Equals(Gzip, StringComparison.OrdinalIgnoreCase);
}
