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
                HttpProtocolException { ErrorCode: ProtocolError or Http11Required } => "it answered with something other than HTTP/2, such as HTTP/1, and gRPC needs HTTP/2: is this the gRPC port?",
                HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse } =>
                    "it closed the connection without a word of HTTP/2: it may speak TLS (https://), or not be a gRPC server",
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
