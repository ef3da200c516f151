using System.Net.Http;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>Says why no connection to an application came about, from what HttpClient, its socket and TLS throw at the first call of a channel.</summary>
internal static class ConnectFailure
{
    // https://www.rfc-editor.org/rfc/rfc9113#section-7
    private const long ProtocolError = 0x1;
    private const long Http11Required = 0xd;

    private const string NoHttp2 = "it does not speak HTTP/2, which gRPC needs: it may speak TLS (https://), or be an HTTP/1 server or another one";

    /// <returns>The reason, for people; null where the exception is not about connecting.</returns>
    public static string? Reason(Exception? exception, ApplicationAddress address)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            var reason = e switch
            {
                SocketException socket => OfSocket(socket, address),
                AuthenticationException tls => OfTls(tls),
                TimeoutException => $"it did not accept a connection within {ApplicationChannel.ConnectTimeout.TotalSeconds} s",
                HttpProtocolException { ErrorCode: ProtocolError or Http11Required } or HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse } => NoHttp2,

                // Of the stream, which the handler closes when the peer's answer comes before the request is written.
                ObjectDisposedException => NoHttp2,
                IOException when exception is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
                    "it closed the connection in the TLS handshake: it may not speak TLS (http://)",
                _ => null,
            };
            if (reason is not null)
            {
                return reason;
            }
        }

        return null;
    }

    private static string OfSocket(SocketException e, ApplicationAddress address) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "it refused the connection",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $"there is no host '{address.Url.Host}'",
        SocketError.AccessDenied => "there is no permission to connect to it",
        SocketError.Shutdown or SocketError.ConnectionReset or SocketError.ConnectionAborted => NoHttp2,
        _ when address.EndPoint is UnixDomainSocketEndPoint socket && !File.Exists(socket.ToString()) => "there is no such socket file",
        _ => e.Message,
    };

    private static string OfTls(AuthenticationException e)
    {
        // OpenSSL's own words, where the peer or this side ended the handshake.
        var cause = e.GetBaseException();
        if (cause != e)
        {
            return $"the TLS handshake failed: {cause.Message}";
        }

        return e.Message.Contains("certificate", StringComparison.Ordinal)
            ? $"its certificate is not trusted: {e.Message}"
            : $"it does not speak TLS (http://): {e.Message}";
    }
}
