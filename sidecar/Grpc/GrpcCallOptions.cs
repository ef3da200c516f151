namespace Genkit.Sidecar.Grpc;

/// <summary>What one call wants beyond its channel's defaults.</summary>
public sealed class GrpcCallOptions
{
    /// <summary>No deadline, no metadata, no compression.</summary>
    public static GrpcCallOptions Default { get; } = new();

    /// <summary>How long the call may take, counted from its start; null for no limit. It is sent to the peer and kept locally too.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Metadata sent after the channel's own.</summary>
    public GrpcMetadata? Metadata { get; init; }

    /// <summary>Whether request messages are compressed with gzip.</summary>
    public bool Compress { get; init; }
}
