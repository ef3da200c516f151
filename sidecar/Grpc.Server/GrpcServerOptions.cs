namespace Genkit.Sidecar.Grpc.Server;

/// <summary>The limits of a server, and what it tells its callers.</summary>
public sealed class GrpcServerOptions
{
    /// <summary>The largest request message taken, in bytes, after decompression too. Default 4 MiB, as in other implementations.</summary>
    public int MaxReceiveMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>The largest response message sent, in bytes, before compression. Default: no limit.</summary>
    public int MaxSendMessageBytes { get; init; } = int.MaxValue;

    /// <summary>Whether response messages are compressed with gzip for callers that take it. A call may decide otherwise.</summary>
    public bool Compress { get; init; }

    /// <summary>Whether a caller is told the message of an exception that a handler let go, and not only the server's log. Default false: it may hold anything.</summary>
    public bool TellExceptions { get; init; }

    /// <summary>
    /// Whether a caller may be silent for as long as it likes, as one of a stream may. Default true. Otherwise the server's minimum rate of request bodies holds while a
    /// message is waited for: that suits methods whose callers have all to say when they call.
    /// </summary>
    public bool AllowSlowCallers { get; init; } = true;

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
