namespace Genkit.Sidecar.GrpcClient;

/// <summary>One connection: what its streams tell of it, and what <see cref="ConnectionWatch"/> knows of its silence.</summary>
internal sealed class Connection(Connections connections, PeerGreeting greeting)
{
    private int _reads;
    private int _isOpen;
    private Stream? _stream;

    public PeerGreeting Greeting { get; } = greeting;

    /// <summary>Counts the reads that the HTTP/2 layer has started. It starts one only after it has processed what came before.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Value of <see cref="Reads"/> at the watch's last look. Only the watch uses this and the two that follow.</summary>
    public int SeenReads { get; set; }

    /// <summary>When the watch first saw a call wait without a byte, as a timestamp of its clock; null if the peer has sent something since.</summary>
    public long? SilentSince { get; set; }

    /// <summary>When the peer was last asked for a sign of life during this silence; null if it was not.</summary>
    public long? ProbedAt { get; set; }

    // One reader a connection, so this needs no interlocked operation.
    public void ReadStarts() => Volatile.Write(ref _reads, _reads + 1);

    public void Opened(Stream stream) => _stream = stream;

    /// <summary>The peer has proven to speak HTTP/2.</summary>
    public void Established()
    {
        if (Interlocked.Exchange(ref _isOpen, 1) == 0)
        {
            connections.Established(this);
        }
    }

    /// <summary>This side has closed the connection. May be called several times.</summary>
    public void Closed()
    {
        if (Interlocked.Exchange(ref _isOpen, 0) == 1)
        {
            connections.Closed(this);
        }
    }

    /// <summary>Closes the connection; calls on it fail.</summary>
    public void Abort() => _stream?.Dispose();
}
