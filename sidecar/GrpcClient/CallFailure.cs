using System.Globalization;
using System.Net.Sockets;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>Says how a call ended, where grpc-dotnet says only that it failed.</summary>
internal sealed class CallFailure(ClientChannelOptions options, Connections connections)
{
    // https://github.com/grpc/grpc-dotnet/blob/v2.85.0/src/Grpc.Net.Client/Internal/StreamExtensions.cs
    private const string LibrarysTooLarge = "Received message exceeds the maximum configured message size.";

    // What SocketsHttpHandler says of a stream, and not of a connection that ends in peace with NO_ERROR.
    private const string HandlersReset = "reset the stream";

    private const string LibrarysOver2GiB = "Message too large.";
    private const string LibrarysUnknownEncoding = "Unsupported grpc-encoding value";

    // https://github.com/grpc/grpc-dotnet/blob/v2.85.0/src/Grpc.Net.Client/Internal/GrpcProtocolHelpers.cs
    private const string LibrarysNoStatus = "No grpc-status found on response.";

    // https://github.com/grpc/grpc-dotnet/blob/v2.85.0/src/Grpc.Net.Client/Internal/GrpcCall.NonGeneric.cs
    private const string LibrarysOtherContent = "Bad gRPC response.";

    private readonly GrpcTarget _target = options.Target;

    /// <param name="exception">What grpc-dotnet threw.</param>
    /// <param name="startedAt">When the call was started, as a timestamp of the channel's clock.</param>
    /// <param name="deadline">The call's time limit; null for none.</param>
    public CallStatus From(RpcException exception, long startedAt, TimeSpan? deadline)
    {
        var status = exception.Status;
        if (status.StatusCode is StatusCode.DeadlineExceeded or StatusCode.Cancelled && HasPassed(startedAt, deadline))
        {
            // A peer that keeps the deadline too may reset the stream a moment before this side's timer fires.
            return status.StatusCode == StatusCode.DeadlineExceeded && status.DebugException is null && status.Detail.Length > 0
                ? OfPeer(exception)
                : new CallStatus(StatusCode.DeadlineExceeded, string.Create(CultureInfo.InvariantCulture, $"the call did not end within {deadline!.Value.TotalSeconds:0.###} s"));
        }

        if (status.DebugException is { } cause)
        {
            return From(cause, status, startedAt);
        }

        return status.StatusCode switch
        {
            StatusCode.ResourceExhausted when status.Detail == LibrarysTooLarge => TooLarge(),

            // The library's codes mean something else to a caller: that it cancelled the call, and that the method is missing.
            StatusCode.Cancelled when status.Detail == LibrarysNoStatus => NoGrpcAnswer("it ended the call without a grpc-status"),
            StatusCode.Cancelled when status.Detail.StartsWith(LibrarysOtherContent, StringComparison.Ordinal) => NoGrpcAnswer(status.Detail[LibrarysOtherContent.Length..].Trim()),
            StatusCode.Unimplemented when status.Detail.StartsWith(LibrarysUnknownEncoding, StringComparison.Ordinal) => new CallStatus(StatusCode.Internal, status.Detail),
            _ => OfPeer(exception),
        };
    }

    /// <summary>Whether connecting failed, for a reason that this folder has named.</summary>
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
    public static (StatusCode Code, string Name) OfHttp2Error(long errorCode) => errorCode switch
    {
        0x0 => (StatusCode.Internal, "NO_ERROR"),
        0x1 => (StatusCode.Internal, "PROTOCOL_ERROR"),
        0x2 => (StatusCode.Internal, "INTERNAL_ERROR"),
        0x3 => (StatusCode.Internal, "FLOW_CONTROL_ERROR"),
        0x4 => (StatusCode.Internal, "SETTINGS_TIMEOUT"),
        0x5 => (StatusCode.Internal, "STREAM_CLOSED"),
        0x6 => (StatusCode.Internal, "FRAME_SIZE_ERROR"),
        0x7 => (StatusCode.Unavailable, "REFUSED_STREAM"),
        0x8 => (StatusCode.Cancelled, "CANCEL"),
        0x9 => (StatusCode.Internal, "COMPRESSION_ERROR"),
        0xa => (StatusCode.Internal, "CONNECT_ERROR"),
        0xb => (StatusCode.ResourceExhausted, "ENHANCE_YOUR_CALM"),
        0xc => (StatusCode.PermissionDenied, "INADEQUATE_SECURITY"),
        _ => (StatusCode.Internal, $"0x{errorCode:x}"),
    };

    private CallStatus From(Exception cause, Status status, long startedAt)
    {
        for (var e = cause; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case ConnectException connect:
                    return connect.ToStatus();
                case NotResendableException:
                    return new CallStatus(StatusCode.Unavailable, $"{_target}: {e.Message}");
                case MessageTooLargeException:
                    return TooLarge();
                case HttpProtocolException protocol when protocol.ErrorCode != 0 || protocol.Message.Contains(HandlersReset, StringComparison.Ordinal):
                    var (code, name) = OfHttp2Error(protocol.ErrorCode);
                    return new CallStatus(code, $"{_target} reset the call with the HTTP/2 error {name}");
                default:
                    break;
            }
        }

        if (cause is InvalidDataException { Message: LibrarysOver2GiB })
        {
            return TooLarge();
        }

        if (cause is InvalidDataException)
        {
            return new CallStatus(StatusCode.Internal, $"{_target} sent something that is not a gRPC message: {cause.Message.TrimEnd('.')}");
        }

        if (cause is InvalidOperationException and not ObjectDisposedException && status.StatusCode == StatusCode.Cancelled)
        {
            // A grpc-status that is not a number.
            return NoGrpcAnswer(cause.Message);
        }

        if (cause is not (HttpRequestException or IOException or SocketException or OperationCanceledException or ObjectDisposedException))
        {
            return status.StatusCode == StatusCode.Cancelled
                ? new CallStatus(StatusCode.Cancelled, "the call was cancelled")
                : new CallStatus(StatusCode.Internal, $"the call to {_target} failed: {cause.Message}");
        }

        if (connections.LastLoss is { } loss && loss.At >= startedAt)
        {
            return new CallStatus(StatusCode.Unavailable, loss.Message);
        }

        if (status.StatusCode == StatusCode.Cancelled)
        {
            return new CallStatus(StatusCode.Cancelled, "the call was cancelled");
        }

        return connections.OpenCount == 0 && connections.LastFailure is { } failure
            ? failure.ToStatus()
            : new CallStatus(StatusCode.Unavailable, $"the connection to {_target} was lost: {Reason(cause)}");
    }

    private bool HasPassed(long startedAt, TimeSpan? deadline) => deadline is { } length && options.TimeProvider.GetElapsedTime(startedAt) >= length;

    private CallStatus TooLarge() => new(StatusCode.ResourceExhausted, $"the peer sent a message over the limit of {options.MaxReceiveMessageBytes} bytes")
    {
        IsOverReceiveLimit = true,
    };

    private CallStatus NoGrpcAnswer(string problem) => new(StatusCode.Unknown, $"the answer of {_target} is not one of gRPC: {problem}");

    private CallStatus OfPeer(RpcException exception)
    {
        var message = exception.Status.Detail;
        if (exception.StatusCode is < StatusCode.OK or > StatusCode.Unauthenticated)
        {
            return NoGrpcAnswer($"there is no grpc-status '{(int)exception.StatusCode}' ({message})");
        }

        return new CallStatus(
            exception.StatusCode,
            message.Length <= CallStatus.MaxMessageLength ? message : string.Concat(message.AsSpan(0, CallStatus.MaxMessageLength), "…"))
        {
            Trailers = exception.Trailers,
        };
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
                // Of a stream of this folder, which the handler closes when it finds that the peer ends the connection.
                return "the peer ended it while the request was on its way";
            }
        }

        return exception.GetBaseException().Message.TrimEnd('.');
    }
}
