using System.Net.Sockets;

namespace Genkit.Sidecar.Grpc;

/// <summary>Makes statuses of exceptions and of HTTP answers that are no gRPC answers.</summary>
internal static class CallFailure
{
    // What GOAWAY says when a server shuts down in peace.
    private const long NoError = 0;

    /// <summary>What an exception of SocketsHttpHandler says about the call.</summary>
    public static GrpcStatus From(Exception exception, GrpcTarget target, bool wasSent, bool wasResent, ConnectException? connectFailure)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case ConnectException connect:
                    return connect.ToStatus();
                case NotResendableException:
                    return new GrpcStatus(GrpcStatusCode.Unavailable, $"{target}: {e.Message}") { Cause = exception };
                case HttpProtocolException protocol:
                    return wasResent && protocol.ErrorCode == NoError
                        ? new GrpcStatus(GrpcStatusCode.Unavailable, $"{target} gave the request back repeatedly before processing it") { Cause = exception }
                        : FromHttp2Error(protocol.ErrorCode, target, exception);
                default:
                    break;
            }
        }

        if (exception is not (HttpRequestException or IOException or SocketException or OperationCanceledException or ObjectDisposedException))
        {
            return new GrpcStatus(GrpcStatusCode.Internal, $"the call to {target} failed on this side: {exception.Message}") { Cause = exception };
        }

        if (!wasSent)
        {
            // The handler gave up on a connection that had come about: the peer hung up before the request was on it.
            return connectFailure?.ToStatus()
                ?? new ConnectException(GrpcConnectFailure.Closed, $"{target} closed the connection before the request was sent: {Reason(exception)}", exception).ToStatus();
        }

        return new GrpcStatus(GrpcStatusCode.Unavailable, $"the connection to {target} was lost: {Reason(exception)}") { Cause = exception };
    }

    public static bool IsConnectFailure(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is ConnectException)
            {
                return true;
            }
        }

        return false;
    }

    // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Errors"
    public static GrpcStatus FromHttp2Error(long errorCode, GrpcTarget target, Exception? cause)
    {
        var (code, name) = errorCode switch
        {
            0x0 => (GrpcStatusCode.Internal, "NO_ERROR"),
            0x1 => (GrpcStatusCode.Internal, "PROTOCOL_ERROR"),
            0x2 => (GrpcStatusCode.Internal, "INTERNAL_ERROR"),
            0x3 => (GrpcStatusCode.Internal, "FLOW_CONTROL_ERROR"),
            0x4 => (GrpcStatusCode.Internal, "SETTINGS_TIMEOUT"),
            0x5 => (GrpcStatusCode.Internal, "STREAM_CLOSED"),
            0x6 => (GrpcStatusCode.Internal, "FRAME_SIZE_ERROR"),
            0x7 => (GrpcStatusCode.Unavailable, "REFUSED_STREAM"),
            0x8 => (GrpcStatusCode.Cancelled, "CANCEL"),
            0x9 => (GrpcStatusCode.Internal, "COMPRESSION_ERROR"),
            0xa => (GrpcStatusCode.Internal, "CONNECT_ERROR"),
            0xb => (GrpcStatusCode.ResourceExhausted, "ENHANCE_YOUR_CALM"),
            0xc => (GrpcStatusCode.PermissionDenied, "INADEQUATE_SECURITY"),
            _ => (GrpcStatusCode.Internal, $"0x{errorCode:x}"),
        };
        return new GrpcStatus(code, $"{target} reset the call with the HTTP/2 error {name}") { Cause = cause };
    }

    // https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
    public static GrpcStatus FromHttpStatus(int httpStatus, string? contentType, GrpcTarget target)
    {
        var code = httpStatus switch
        {
            400 => GrpcStatusCode.Internal,
            401 => GrpcStatusCode.Unauthenticated,
            403 => GrpcStatusCode.PermissionDenied,
            404 => GrpcStatusCode.Unimplemented,
            429 or 502 or 503 or 504 => GrpcStatusCode.Unavailable,
            _ => GrpcStatusCode.Unknown,
        };
        return new GrpcStatus(
            code,
            $"{target} answered with the HTTP status {httpStatus} and {(contentType is null ? "no content type" : $"the content type '{contentType}'")}: this is not a gRPC answer");
    }

    private static string Reason(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is SocketException)
            {
                return e.Message;
            }

            if (e is ObjectDisposedException)
            {
                // Of a stream of ours, which the handler closes when it finds that the peer ends the connection.
                return "the peer ended it while the request was on its way";
            }
        }

        return exception.GetBaseException().Message.TrimEnd('.');
    }
}
