using System.Net.Sockets;
using System.Net.WebSockets;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Metrics;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// The WebSocket to the manager: whole messages in, whole messages out. One reader and one writer. Only a session's token may go
/// into it, because cancelling one send or receive ends the whole socket.
/// </summary>
internal sealed class ManagerSocket : IAsyncDisposable
{
    private const int SendBufferBytes = 256 * 1024;

    private readonly ClientWebSocket _webSocket;
    private readonly HttpMessageInvoker _http;
    private readonly long _maxMessageBytes;
    private readonly ManagerMetrics? _metrics;
    private FrameStream? _stream;

    private ManagerSocket(ManagerSocketOptions options, ManagerMetrics? metrics)
    {
        _metrics = metrics;
        _maxMessageBytes = options.MaxMessageBytes;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectCallback = ConnectAsync,

            // Above TLS, where there is any.
            PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(_stream = new FrameStream(context.PlaintextStream)),
        });
        _webSocket = new ClientWebSocket();
        _webSocket.Options.CollectHttpResponseDetails = true;

        // An interval alone sends unsolicited PONGs. Only with a timeout does the WebSocket send PINGs, which detect a dead peer.
        _webSocket.Options.KeepAliveInterval = options.KeepAliveInterval;
        _webSocket.Options.KeepAliveTimeout = options.KeepAliveTimeout;
    }

    /// <summary>Connects. No Origin header is sent: managers are about to refuse it, as browsers send one and runtimes do not.</summary>
    /// <param name="address">Of the manager.</param>
    /// <param name="options">Limits and times.</param>
    /// <param name="metrics">Counts the messages; null for a socket that is none of the runtime's.</param>
    /// <param name="cancellationToken">Gives up connecting.</param>
    /// <exception cref="ManagerUnreachableException">Says why there is no WebSocket at that address.</exception>
    public static async Task<ManagerSocket> ConnectAsync(Uri address, ManagerSocketOptions options, ManagerMetrics? metrics, CancellationToken cancellationToken)
    {
        var socket = new ManagerSocket(options, metrics);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.ConnectTimeout);
        try
        {
            await socket._webSocket.ConnectAsync(address, socket._http, timeout.Token);
            metrics?.Connected();
            return socket;
        }
        catch (Exception exception)
        {
            var status = socket._webSocket.HttpStatusCode;
            await socket.DisposeAsync();
            cancellationToken.ThrowIfCancellationRequested();
            throw new ManagerUnreachableException(
                timeout.IsCancellationRequested
                    ? $"no answer within {options.ConnectTimeout.TotalSeconds:0.#} s"
                    : Reason(exception, status),
                exception)
            {
                HttpStatus = status == 0 ? null : (int)status,
            };
        }
    }

    /// <summary>Receives one message, which the caller disposes of. Null once the manager has closed the socket.</summary>
    /// <exception cref="WebSocketException">The connection is lost.</exception>
    public async ValueTask<ReceivedFrame?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var frame = new ReceivedFrame();
        OversizeScanner? scanner = null;
        try
        {
            while (true)
            {
                var received = await _webSocket.ReceiveAsync(frame.GetMemory(), cancellationToken);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    frame.Dispose();
                    return null;
                }

                frame.Advance(received.Count);
                if (scanner is not null || frame.Length > _maxMessageBytes)
                {
                    scanner ??= new OversizeScanner();
                    foreach (var segment in frame.Bytes)
                    {
                        scanner.Feed(segment.Span);
                    }

                    frame.Clear();
                }

                if (received.EndOfMessage)
                {
                    frame.Oversize = scanner?.Result;
                    _metrics?.Received();
                    return frame;
                }
            }
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// <summary>Writes whole frames of messages, which do not pass through the WebSocket.</summary>
    /// <param name="frames">Encoded by <see cref="WebSocketFrameEncoder"/>.</param>
    /// <param name="messages">How many messages end in them.</param>
    /// <param name="cancellationToken">Gives up, which leaves the connection unusable.</param>
    /// <exception cref="WebSocketException">The connection is lost.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> frames, int messages, CancellationToken cancellationToken)
    {
        try
        {
            await _stream!.WriteAsync(frames, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely, exception);
        }

        _metrics?.Sent(messages);
    }

    /// <summary>Says goodbye, so that the manager removes the runtime at once.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _webSocket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Already disconnected, so no close frame is needed.
        }
    }

    /// <summary>A message why the peer closed.</summary>
    public string CloseReason => _webSocket.CloseStatus is { } status
        ? $"closed by the manager with {(int)status}{(string.IsNullOrEmpty(_webSocket.CloseStatusDescription) ? "" : $" {_webSocket.CloseStatusDescription}")}"
        : "closed by the manager";

    public ValueTask DisposeAsync()
    {
        _webSocket.Dispose();
        _http.Dispose();
        _stream?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string Reason(Exception exception, System.Net.HttpStatusCode status)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return "connection refused: nothing listens there";
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } socket:
                    return $"the host name does not resolve ({socket.Message})";
                case SocketException socket:
                    return socket.Message;
                case System.Security.Authentication.AuthenticationException tls:
                    return $"TLS failed: {tls.Message}";
            }
        }

        return status != 0
            ? $"it answered with HTTP {(int)status} instead of a WebSocket: is that Genkit's Reflection API v2 port?"
            : exception.InnerException?.Message ?? exception.Message;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        // Limits the send buffer: its data is lost when the connection fails, and a PING waits behind it.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = SendBufferBytes };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new NetworkStream(socket, ownsSocket: true);
    }
}
