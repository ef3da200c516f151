using System.Net;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>
/// A channel of grpc-dotnet that dials when a call needs a connection, without back-off, and knows why dialling failed. Connections are kept for as long as both
/// sides want, and shared by all calls. Safe for use by several threads.
/// </summary>
internal sealed class ClientChannel : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly Connections _connections = new();
    private readonly ConnectionWatch? _watch;
    private readonly CallFailure _failure;
    private readonly TimeProvider _time;

    /// <summary>Makes a channel; it dials with the first call.</summary>
    /// <exception cref="ArgumentException">The authority is not a host with an optional port.</exception>
    public ClientChannel(ClientChannelOptions options, ILogger logger)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.ConnectTimeout, TimeSpan.Zero);
        if (options.Authority is { } authority && (!Uri.TryCreate($"http://{authority}", UriKind.Absolute, out var parsed) || parsed.PathAndQuery != "/" || parsed.UserInfo.Length > 0))
        {
            throw new ArgumentException($"the authority '{authority}' is not a host with an optional port", nameof(options));
        }

        _time = options.TimeProvider;
        _failure = new CallFailure(options, _connections);
        var connector = new Connector(options, _connections);
        var sockets = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) => await connector.ConnectAsync(cancellationToken).ConfigureAwait(false),
            ConnectTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = true,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,

            // Each new connection costs GetRuntimeInfo and Configure, so an idle one is kept.
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = InitialStreamWindowBytes,

            // Beyond this the handler closes the connection, with all calls on it. A status message in the trailers may be as large as another message.
            MaxResponseHeadersLength = Math.Max(options.MaxReceiveMessageBytes / 1024, MinHeadersKilobytes),

            // The specification wants ASCII. Some servers send UTF-8 in grpc-message all the same.
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        };
        if (options.KeepAliveTimeout > TimeSpan.Zero)
        {
            ConnectionWatch.ConfigurePings(sockets, options.KeepAliveTimeout);
        }

        _channel = GrpcChannel.ForAddress(options.Target.Address, new GrpcChannelOptions
        {
            HttpHandler = new DialingHandler(options, _connections, sockets),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = options.MaxReceiveMessageBytes,
            MaxSendMessageSize = null,
            CompressionProviders = [new LimitedGzip(options.MaxReceiveMessageBytes)],
        });
        Calls = _channel.CreateCallInvoker();
        _watch = options.KeepAliveTimeout > TimeSpan.Zero ? new ConnectionWatch(options, _connections, Calls, logger) : null;
    }

    /// <summary>Raised on a pool thread for each new connection that has proven to speak HTTP/2.</summary>
    public event Action? ConnectionEstablished
    {
        add => _connections.ConnectionEstablished += value;
        remove => _connections.ConnectionEstablished -= value;
    }

    /// <summary>Makes the calls. Each is announced with <see cref="BeginCall"/>.</summary>
    public CallInvoker Calls { get; }

    /// <summary>What the HTTP/2 window of a call starts with: what the peer may send before this side reads. It grows on links that need more.</summary>
    private static int InitialStreamWindowBytes => 256 * 1024;

    /// <summary>A status message of 1 MiB, each byte of which is written as %XX, and what comes with it.</summary>
    private static int MinHeadersKilobytes => 4 * 1024;

    /// <summary>Announces a call, so that connections are watched while it waits. The result is disposed of when the call has ended.</summary>
    public CallScope BeginCall(TimeSpan? deadline) => new(_watch, _failure, _time.GetTimestamp(), deadline);

    /// <summary>Ends all calls with <see cref="StatusCode.Cancelled"/> and closes the connections.</summary>
    public void Dispose()
    {
        _watch?.Dispose();
        _channel.Dispose();
    }
}
