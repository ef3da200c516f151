using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Otlp;
using Grpc.Core;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Genkit.Sidecar.Endpoints.Otlp;

/// <summary>OTLP over HTTP, in protobuf and in JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp.</summary>
internal sealed class OtlpHttpService(OtlpSettings settings, OtlpHandler handler)
{
    private const string ProtobufType = "application/x-protobuf";
    private const string JsonType = "application/json";
    private const string Gzip = "gzip";

    // The room that a full queue needs is there as soon as the telemetry server has taken a few spans.
    private const string RetryAfterSeconds = "1";

    private readonly int _maxBytes = checked((int)settings.MaxRequestBytes);

    /// <summary>Answers a caller whose body breaks off, and leaves alone one that has gone.</summary>
    public static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException exception)
        {
            // Kestrel's words of a body that comes too slowly, or not as its headers say.
            var code = exception.StatusCode == StatusCodes.Status408RequestTimeout ? StatusCode.DeadlineExceeded : StatusCode.InvalidArgument;
            await RefuseAsync(context, exception.StatusCode, code, exception.Message);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The caller is gone.
        }
    }

    /// <summary>Refuses what a browser sends for a page, which could write into anybody's traces.</summary>
    public static Task RefuseWebPagesAsync(HttpContext context, RequestDelegate next) => context.Request.Headers.Origin.Count == 0
        ? next(context)
        : RefuseAsync(context, StatusCodes.Status403Forbidden, StatusCode.PermissionDenied, "requests of web pages are not taken: they could write into anybody's traces");

    public static Task RefuseMethodAsync(HttpContext context)
    {
        context.Response.Headers.Allow = HttpMethods.Post;
        return RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, StatusCode.Unimplemented, "only POST");
    }

    public static Task RefusePathAsync(HttpContext context) =>
        RefuseAsync(context, StatusCodes.Status404NotFound, StatusCode.Unimplemented, "there are /v1/traces, /v1/metrics and /v1/logs");

    public static Task RefuseAsync(HttpContext context, int status, StatusCode code, string message)
    {
        // Of a request whose encoding is none of OTLP's, people read the answer.
        var encoding = EncodingOf(context.Request) ?? OtlpEncoding.Json;
        return AnswerAsync(context, status, encoding, OtlpResponse.Refused(encoding, code, message));
    }

    /// <summary>Takes one request of a signal.</summary>
    public Task ExportAsync(HttpContext context, OtlpSignal signal)
    {
        var request = context.Request;
        if (EncodingOf(request) is not { } encoding)
        {
            return RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, StatusCode.InvalidArgument, $"the content type {QuotedText.Text(request.ContentType ?? "")} is not taken, but {ProtobufType} and {JsonType}");
        }

        if (!IsIdentity(request.Headers.ContentEncoding) && !IsGzip(request.Headers.ContentEncoding))
        {
            context.Response.Headers.AcceptEncoding = Gzip;
            return RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, StatusCode.InvalidArgument, $"the content encoding {QuotedText.Text(request.Headers.ContentEncoding.ToString())} is not taken, but {Gzip} and identity");
        }

        return request.ContentLength > _maxBytes ? RefuseTooLargeAsync(context) : ExportAsync(context, signal, encoding);
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
                await RefuseAsync(context, StatusCodes.Status400BadRequest, StatusCode.InvalidArgument, "the body is not in gzip, or is cut short");
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
                await RefuseAsync(context, StatusCodes.Status400BadRequest, StatusCode.InvalidArgument, reply.Problem);
                break;
            case OtlpVerdict.Overloaded:
                context.Response.Headers.RetryAfter = RetryAfterSeconds;
                await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, StatusCode.Unavailable, reply.Problem);
                break;
            default:
                await AnswerAsync(context, StatusCodes.Status200OK, encoding, OtlpResponse.Accepted(signal, encoding, reply));
                break;
        }
    }

    private Task RefuseTooLargeAsync(HttpContext context) => RefuseAsync(
        context,
        StatusCodes.Status413PayloadTooLarge,
        StatusCode.ResourceExhausted,
        $"the request has more than the {_maxBytes} bytes that {OtlpSettingTable.OtlpMaxRequestBytes.Flag} allows, as it is or after decompression");

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
