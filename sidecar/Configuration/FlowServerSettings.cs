namespace Genkit.Sidecar.Configuration;

/// <summary>The settings of the flow server. What each means stands in <see cref="FlowServerSettingTable"/>.</summary>
internal sealed record FlowServerSettings
{
    public HealthAddress Address { get; init; } = HealthAddress.Off;

    public SettingSource AddressSource { get; init; } = SettingSource.Default;

    /// <summary>Empty, or with a slash before it and none after.</summary>
    public string PathPrefix { get; init; } = "";

    /// <summary>Globs over keys, where <c>*</c> is anything and <c>?</c> any character.</summary>
    public IReadOnlyList<string> Actions { get; init; } = [];

    /// <summary>Null: callers need none, for they are on this machine.</summary>
    public BearerToken? Token { get; init; }

    public IReadOnlyList<ContextHeader> Context { get; init; } = [];

    /// <summary>As browsers write them, or <c>*</c> for any.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    public long MaxBodyBytes { get; init; }

    /// <summary>Zero: none.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>Requests a second of one client; zero: as many as it likes.</summary>
    public int RateLimit { get; init; }

    /// <summary>Null: a client is who connects.</summary>
    public string? ClientHeader { get; init; }

    public int RateBurst { get; init; }

    public int MaxConcurrent { get; init; }

    public bool Compression { get; init; }

    public override string ToString() => $"{nameof(FlowServerSettings)} {{ Address = {Address} }}";
}
