using System.Net;
using System.Net.Http.Headers;

namespace Genkit.Sidecar.Telemetry;

/// <summary>Posts to the telemetry server over HTTP.</summary>
internal sealed class TelemetryClient : IDisposable
{
    /// <summary>The server, on Node, closes what is idle for 5 s. A request must not be under way to a connection that closes just then.</summary>
    private static readonly TimeSpan s_idleTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Longer than the retransmission of a lost packet or two. A server that takes longer is considered absent.</summary>
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpMessageInvoker _http;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;

    public TelemetryClient(TimeSpan timeout, TimeProvider time)
    {
        _timeout = timeout;
        _time = time;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            PooledConnectionIdleTimeout = s_idleTimeout,
            ConnectTimeout = s_connectTimeout,
        });
    }

    /// <summary>Posts once. Does not throw.</summary>
    /// <param name="server">Ends in a slash.</param>
    /// <param name="path">Relative to it.</param>
    /// <param name="body">Held until the request is over.</param>
    /// <param name="stop">Gives the request up.</param>
    public async Task<(PostOutcome Outcome, string Problem)> PostAsync(Uri server, string path, SpanBody body, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, path)) { Content = new SpanContent(body) };
        try
        {
            using var response = await _http.SendAsync(request, either.Token);
            return response.StatusCode switch
            {
                >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => (PostOutcome.Accepted, ""),
                HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or > HttpStatusCode.InternalServerError =>
                    (PostOutcome.Unanswered, $"answered with HTTP {(int)response.StatusCode}"),
                _ => (PostOutcome.Refused, $"answered with HTTP {(int)response.StatusCode}"),
            };
        }
        catch (HttpRequestException exception) when (IsUnreachable(exception.HttpRequestError))
        {
            return (PostOutcome.Unreachable, $"cannot be reached ({exception.InnerException?.Message ?? exception.Message})");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return (PostOutcome.Unanswered, "broke the connection or did not speak HTTP");
        }
        catch (OperationCanceledException) when (!either.IsCancellationRequested)
        {
            return (PostOutcome.Unreachable, $"cannot be reached (no connection within {s_connectTimeout.TotalSeconds:0.###} s)");
        }
        catch (OperationCanceledException)
        {
            return (PostOutcome.Unanswered, $"did not answer within {_timeout.TotalSeconds:0.###} s (--telemetry-timeout)");
        }
    }

    public void Dispose() => _http.Dispose();

    private static bool IsUnreachable(HttpRequestError error) =>
        error is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;
}

internal enum PostOutcome
{
    Accepted,

    /// <summary>The server looked at it and said no: it would again.</summary>
    Refused,

    /// <summary>The request may have reached the server, and no usable answer came.</summary>
    Unanswered,

    /// <summary>The request did not reach the server.</summary>
    Unreachable,
}

/// <summary>A body as HTTP sends it.</summary>
internal sealed class SpanContent : HttpContent
{
    private readonly SpanBody _body;

    public SpanContent(SpanBody body)
    {
        _body = body;
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _body.CopyToAsync(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _body.CopyToAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}
