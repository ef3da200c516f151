using System.Globalization;
using Grpc.Core;

namespace Genkit.Sidecar.GrpcClient;

/// <summary>
/// Closes connections whose peer is silent while a call waits. TCP notices packets that vanish, but not a peer whose kernel acknowledges and whose process is
/// frozen.
/// </summary>
/// <remarks>
/// A peer that runs answers HTTP/2's PING. But servers on gRPC's C core and in Go accept one PING in five minutes without data, and close the connection at
/// the fourth (https://github.com/grpc/grpc/blob/master/doc/keepalive.md, "ENHANCE_YOUR_CALM"); what they send themselves resets that count. So a silent peer
/// is first sent a call of a method that no server has. Its answer, UNIMPLEMENTED, is a sign of life, and postpones the PING. Only a process that cannot answer
/// calls gets PINGs.
/// </remarks>
internal sealed partial class ConnectionWatch : IDisposable
{
    private static readonly Method<byte[], byte[]> s_probe = new(
        MethodType.Unary,
        "genkit.sidecar.v1.KeepAlive",
        "Probe",
        Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes),
        Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes));

    private readonly ClientChannelOptions _options;
    private readonly Connections _connections;
    private readonly CallInvoker _calls;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly ITimer _timer;
    private int _activeCalls;
    private int _isRunning;
    private int _isProbing;
    private volatile bool _isDisposed;

    public ConnectionWatch(ClientChannelOptions options, Connections connections, CallInvoker calls, ILogger logger)
    {
        _options = options;
        _connections = connections;
        _calls = calls;
        _logger = logger;
        _time = options.TimeProvider;
        _timeout = options.KeepAliveTimeout;
        _timer = _time.CreateTimer(static watch => ((ConnectionWatch)watch!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    // Parts of the timeout: the probe at 0.4 to 0.47, the PING at half to 0.65, and the end, a tick early, at 0.87 to 0.94.
    private TimeSpan Tick => _timeout / 15;

    // Half a tick less than is meant, because a tick comes a little early or late.
    private TimeSpan ProbeAfter => Tick * 5.5;

    private TimeSpan AnswerWithin => Tick * 6.5;

    /// <summary>Lets SocketsHttpHandler send PINGs. Their own timeout never comes, because the watch closes the connection before and knows why.</summary>
    public static void ConfigurePings(SocketsHttpHandler handler, TimeSpan timeout)
    {
        // The handler takes no less than a second, and looks at its connections four times in the shorter of both times.
        var least = TimeSpan.FromSeconds(1);
        var delay = timeout / 2;
        handler.KeepAlivePingDelay = delay > least ? delay : least;
        handler.KeepAlivePingTimeout = 2 * timeout > least ? 2 * timeout : least;
        handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
    }

    public void CallStarted()
    {
        Interlocked.Increment(ref _activeCalls);
        if (Volatile.Read(ref _isRunning) == 0)
        {
            Start();
        }
    }

    public void CallEnded() => Interlocked.Decrement(ref _activeCalls);

    public void Dispose()
    {
        _isDisposed = true;
        _timer.Dispose();
    }

    private void Start()
    {
        if (Interlocked.Exchange(ref _isRunning, 1) == 0)
        {
            _timer.Change(Tick, Tick);
        }
    }

    private void OnTick()
    {
        if (Volatile.Read(ref _activeCalls) == 0)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Volatile.Write(ref _isRunning, 0);
            if (Volatile.Read(ref _activeCalls) > 0)
            {
                Start();
            }

            return;
        }

        var now = _time.GetTimestamp();
        var isProbeDue = false;
        foreach (var connection in _connections.Open())
        {
            isProbeDue |= Look(connection, now);
        }

        if (isProbeDue && !_isDisposed && Interlocked.Exchange(ref _isProbing, 1) == 0)
        {
            _ = ProbeAsync();
        }
    }

    /// <returns>Whether a probe is due.</returns>
    private bool Look(Connection connection, long now)
    {
        if (connection.Reads != connection.SeenReads)
        {
            connection.SeenReads = connection.Reads;
            connection.SilentSince = null;
            connection.ProbedAt = null;
        }

        // A call that ends unanswered does not reset this, so that calls with a short deadline find a dead connection too.
        connection.SilentSince ??= now;
        if (connection.ProbedAt is { } probedAt)
        {
            if (_time.GetElapsedTime(probedAt, now) >= AnswerWithin)
            {
                Lose(connection, now);
            }

            return false;
        }

        if (_time.GetElapsedTime(connection.SilentSince.Value, now) < ProbeAfter)
        {
            return false;
        }

        connection.ProbedAt = now;
        return true;
    }

    private void Lose(Connection connection, long now)
    {
        var silence = _time.GetElapsedTime(connection.SilentSince!.Value, now).TotalSeconds;
        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"the connection to {_options.Target} was lost: nothing came from it for {silence:0.#} s while a call waited");
        Log.Lost(_logger, _options.Target.ToString(), silence);
        _connections.Lose(connection, new ConnectionLostException(message, now));
    }

    private async Task ProbeAsync()
    {
        CallStarted();
        try
        {
            // grpc-dotnet has no other clock than the system's.
            var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + AnswerWithin);
            using var call = _calls.AsyncUnaryCall(s_probe, host: null, options, []);
            await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // Any answer is a sign of life, and no answer is what the watch waits for.
        }
        catch (ObjectDisposedException)
        {
            // The channel was disposed meanwhile.
        }
        finally
        {
            Volatile.Write(ref _isProbing, 0);
            CallEnded();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Closed the connection to the application at {Address}: nothing came from it for {Seconds:0.#} s while a call waited (--app-keep-alive-timeout)", EventName = "ApplicationConnectionLost")]
        public static partial void Lost(ILogger logger, string address, double seconds);
    }
}

/// <summary>A connection was closed because its peer sent nothing while a call waited.</summary>
/// <param name="message">What was found, and the setting that changes it.</param>
/// <param name="at">When, as a timestamp of the channel's clock.</param>
internal sealed class ConnectionLostException(string message, long at) : IOException(message)
{
    public long At { get; } = at;
}
