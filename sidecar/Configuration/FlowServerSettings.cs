namespace Genkit.Sidecar.Configuration;

/// <summary>The settings of the flow server. What each means stands in <see cref="SettingTable"/>.</summary>
internal sealed record FlowServerSettings
{
    public required HealthAddress Address { get; init; }

    public required SettingSource AddressSource { get; init; }

    /// <summary>Empty, or with a slash before it and none after.</summary>
    public required string PathPrefix { get; init; }

    /// <summary>Globs over keys, where <c>*</c> is anything and <c>?</c> any character.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>Null: callers need none, for they are on this machine.</summary>
    public required BearerToken? Token { get; init; }

    public required IReadOnlyList<ContextHeader> Context { get; init; }

    /// <summary>As browsers write them, or <c>*</c> for any.</summary>
    public required IReadOnlyList<string> CorsOrigins { get; init; }

    public required long MaxBodyBytes { get; init; }

    /// <summary>Zero: none.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Requests a second of one client; zero: as many as it likes.</summary>
    public required int RateLimit { get; init; }

    /// <summary>Null: a client is who connects.</summary>
    public required string? ClientHeader { get; init; }

    public required int RateBurst { get; init; }

    public required int MaxConcurrent { get; init; }

    public required bool Compression { get; init; }

    public override string ToString() => $"{nameof(FlowServerSettings)} {{ Address = {Address} }}";
}
