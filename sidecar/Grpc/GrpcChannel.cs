using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Genkit.Sidecar.Grpc;

/// <summary>
/// Calls to one peer over HTTP/2 connections that are dialled when a call needs one, kept for as long as both sides want, and shared by all calls. There is no
/// back-off: a call that finds no connection dials. Safe for use by several threads.
/// </summary>
public sealed class GrpcChannel : IDisposable
{
    // Methods are few and known; the bound is against a caller that makes names up.
    private const int MaxCachedMethods = 1024;

    private readonly ConcurrentDictionary<string, Uri> _methods = new(StringComparer.Ordinal);
    private readonly HashSet<GrpcCall> _calls = [];
    private readonly Lock _callsLock = new();
    private readonly HttpMessageInvoker _http;
    private readonly Connector _connector;
    private volatile ConnectException? _lastFailure;
    private int _connectionsMade;
    private int _connectionsOpen;
    private bool _isDisposed;

    /// <summary>Makes a channel; it dials with the first call.</summary>
    public GrpcChannel(GrpcChannelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.ConnectTimeout, TimeSpan.Zero);

        // What a timer takes.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ConnectTimeout, TimeSpan.FromDays(49));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxReceiveMessageBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxSendMessageBytes);
        if (options.Authority is { } authority && (!Uri.TryCreate($"http://{authority}", UriKind.Absolute, out var parsed) || parsed.PathAndQuery != "/" || parsed.UserInfo.Length > 0))
        {
            throw new ArgumentException($"the authority '{authority}' is not a host with an optional port", nameof(options));
        }

        Options = options;
        _connector = new Connector(options, this);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) => await _connector.ConnectAsync(cancellationToken).ConfigureAwait(false),
            ConnectTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = true,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,

            // The peer is told about this side after each new connection, so an idle one is worth keeping.
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = options.InitialStreamWindowBytes,

            // Keeps bytes that are not ASCII, which StatusMessage knows how to read.
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        };
        _http = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>Raised on a pool thread whenever a new connection has proven to speak HTTP/2. A channel that has many calls at once may have several connections.</summary>
    public event Action? ConnectionEstablished;

    internal GrpcChannelOptions Options { get; }

    /// <summary>Why there is no connection: for a call that comes too late to be told.</summary>
    internal ConnectException? LastConnectFailure => _lastFailure;

    /// <summary>How many connections have ever proven to speak HTTP/2.</summary>
    internal int ConnectionsMade => Volatile.Read(ref _connectionsMade);

    /// <summary>How many of them are open.</summary>
    internal int ConnectionsOpen => Volatile.Read(ref _connectionsOpen);

    /// <summary>Starts a call. Nothing is sent before its first write or its half-close.</summary>
    /// <param name="method">The path of the method: <c>/package.Service/Method</c>.</param>
    /// <param name="options">What this call wants.</param>
    /// <param name="cancellationToken">Cancels the call, as <see cref="GrpcCall.Cancel"/> does.</param>
    /// <exception cref="ArgumentException">The method is not a path of two parts.</exception>
    /// <exception cref="ObjectDisposedException">The channel is disposed.</exception>
    public GrpcCall StartCall(string method, GrpcCallOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var address = AddressOf(method);
        var call = new GrpcCall(this, address, options);
        lock (_callsLock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _calls.Add(call);
        }

        call.Start(cancellationToken);
        return call;
    }

    /// <summary>Sends one message and takes one message.</summary>
    /// <param name="method">The path of the method: <c>/package.Service/Method</c>.</param>
    /// <param name="request">The message; its memory is not used after the returned task has completed.</param>
    /// <param name="options">What this call wants.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The response or a status that is not OK, never null.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled before the call ended.</exception>
    public async ValueTask<GrpcUnaryResult> UnaryAsync(string method, ReadOnlySequence<byte> request, GrpcCallOptions options, CancellationToken cancellationToken)
    {
        var call = StartCall(method, options, cancellationToken);
        await using (call.ConfigureAwait(false))
        {
            await call.WriteAsync(request, endOfStream: true, cancellationToken).ConfigureAwait(false);
            if (!await call.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                return Result(call.Status!.IsOK ? new GrpcStatus(GrpcStatusCode.Internal, $"{method} ended without a response message") : call.Status);
            }

            var owner = call.Reader.Detach(out var message);
            try
            {
                var isSecond = await call.ReadAsync(cancellationToken).ConfigureAwait(false);
                var status = isSecond ? new GrpcStatus(GrpcStatusCode.Internal, $"{method} sent more than one response message") : call.Status!;
                if (!status.IsOK)
                {
                    return Result(status);
                }

                var result = new GrpcUnaryResult(status, call.ResponseHeaders, call.Trailers, message, owner);
                owner = null;
                return result;
            }
            finally
            {
                owner?.Dispose();
            }
        }

        GrpcUnaryResult Result(GrpcStatus status) => new(status, call.ResponseHeaders, call.Trailers, default, null);
    }

    /// <summary>Ends all calls with <see cref="GrpcStatusCode.Cancelled"/> and closes the connections.</summary>
    public void Dispose()
    {
        lock (_callsLock)
        {
            _isDisposed = true;
        }

        EndCalls(new GrpcStatus(GrpcStatusCode.Cancelled, "the channel was disposed"), onlyConnecting: false);
        _http.Dispose();
    }

    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _http.SendAsync(request, cancellationToken);

    internal void Remove(GrpcCall call)
    {
        lock (_callsLock)
        {
            _calls.Remove(call);
        }
    }

    /// <summary>Ends all calls that wait for a connection.</summary>
    /// <remarks>
    /// The handler fails only the call that it dialled for, and dials again for the next one in its queue: with a peer that is silently gone, the last of many
    /// would wait for as many timeouts. And of a peer that hangs up early the handler says only that there is no connection, not why.
    /// </remarks>
    internal void OnConnectFailed(ConnectException failure)
    {
        _lastFailure = failure;
        EndCalls(failure.ToStatus(), onlyConnecting: true);
    }

    internal void OnConnectionClosed() => Interlocked.Decrement(ref _connectionsOpen);

    private void EndCalls(GrpcStatus status, bool onlyConnecting)
    {
        GrpcCall[] calls;
        lock (_callsLock)
        {
            calls = [.. onlyConnecting ? _calls.Where(c => c.IsConnecting) : _calls];
        }

        foreach (var call in calls)
        {
            call.End(status);
        }
    }

    internal void OnConnectionEstablished()
    {
        Interlocked.Increment(ref _connectionsMade);
        Interlocked.Increment(ref _connectionsOpen);
        _lastFailure = null;

        // Not on the thread that reads the connection: a handler may want to make a call over it.
        ThreadPool.UnsafeQueueUserWorkItem(static c => c.ConnectionEstablished?.Invoke(), this, preferLocal: false);
    }

    private Uri AddressOf(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        if (_methods.TryGetValue(method, out var known))
        {
            return known;
        }

        MethodPath.ThrowIfInvalid(method);
        var target = Options.Target.Address;
        var address = new Uri(
            $"{target.Scheme}://{target.Authority}{method}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        if (_methods.Count < MaxCachedMethods)
        {
            _methods.TryAdd(method, address);
        }

        return address;
    }
}
