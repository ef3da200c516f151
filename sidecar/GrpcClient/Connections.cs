namespace Genkit.Sidecar.GrpcClient;

/// <summary>The connections of one channel, and the requests that wait for one.</summary>
internal sealed class Connections
{
    private readonly Lock _lock = new();
    private readonly HashSet<ConnectWait> _waits = [];
    private readonly List<Connection> _open = [];
    private volatile ConnectException? _lastFailure;
    private volatile ConnectionLostException? _lastLoss;
    private volatile int _openCount;

    /// <summary>Raised on a pool thread for each new connection that has proven to speak HTTP/2. A channel with many calls may have several connections.</summary>
    public event Action? ConnectionEstablished;

    /// <summary>How many connections have proven to speak HTTP/2 and are open.</summary>
    public int OpenCount => _openCount;

    /// <summary>Why the last attempt to connect failed; null after a success.</summary>
    public ConnectException? LastFailure => _lastFailure;

    /// <summary>The connection that was closed last because its peer was silent; null if none was.</summary>
    public ConnectionLostException? LastLoss => _lastLoss;

    public Connection[] Open()
    {
        lock (_lock)
        {
            return [.. _open];
        }
    }

    /// <summary>Registers a request. The caller removes it with <see cref="Remove"/>.</summary>
    public ConnectWait Wait(CancellationToken cancellationToken)
    {
        var wait = new ConnectWait(cancellationToken);
        lock (_lock)
        {
            _waits.Add(wait);
        }

        return wait;
    }

    public void Remove(ConnectWait wait)
    {
        lock (_lock)
        {
            _waits.Remove(wait);
        }

        wait.Dispose();
    }

    /// <summary>Ends all requests that wait for a connection.</summary>
    /// <remarks>
    /// SocketsHttpHandler fails only the request that it dialled for, and dials again for the next one in its queue. With a peer that is silently gone,
    /// the last of many would wait for as many timeouts.
    /// </remarks>
    public void Failed(ConnectException failure)
    {
        _lastFailure = failure;
        ConnectWait[] waits;
        lock (_lock)
        {
            waits = [.. _waits];
            _waits.Clear();
        }

        foreach (var wait in waits)
        {
            wait.Fail(failure);
        }
    }

    public void Established(Connection connection)
    {
        lock (_lock)
        {
            _open.Add(connection);
            _openCount = _open.Count;
            _waits.Clear();
        }

        _lastFailure = null;

        // Not on the thread that reads the connection, because a handler may make a call over it.
        ThreadPool.UnsafeQueueUserWorkItem(static connections => connections.ConnectionEstablished?.Invoke(), this, preferLocal: false);
    }

    public void Closed(Connection connection)
    {
        lock (_lock)
        {
            _open.Remove(connection);
            _openCount = _open.Count;
        }
    }

    /// <summary>Closes a connection whose peer is silent.</summary>
    public void Lose(Connection connection, ConnectionLostException loss)
    {
        _lastLoss = loss;
        connection.Abort();
    }
}
