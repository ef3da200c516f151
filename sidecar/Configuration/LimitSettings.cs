namespace Genkit.Sidecar.Configuration;

/// <summary>How large, how many and how long. What each means stands in <see cref="LimitSettingTable"/>.</summary>
internal sealed record LimitSettings
{
    public long MaxMessageBytes { get; init; }

    /// <summary>
    /// <see cref="MaxMessageBytes"/> with room for what surrounds a payload of that size: quotes, envelope, keys and labels. It stays
    /// under the 100 MiB at which the manager closes the connection.
    /// </summary>
    public long MaxFrameBytes => MaxMessageBytes + Math.Min(ByteSize.KiB * 64, MaxMessageBytes / 16);

    /// <summary>Zero: runs have no deadline.</summary>
    public TimeSpan RunTimeout { get; init; }

    public TimeSpan RunGrace { get; init; }

    public int MaxConcurrentRuns { get; init; }

    public long MaxInputQueueBytes { get; init; }
}
