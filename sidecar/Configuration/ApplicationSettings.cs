namespace Genkit.Sidecar.Configuration;

/// <summary>How the application is reached. What each means stands in <see cref="ApplicationSettingTable"/>.</summary>
internal sealed record ApplicationSettings
{
    public ApplicationAddress Address { get; init; } = ApplicationAddress.Default;

    public SettingSource AddressSource { get; init; } = SettingSource.Default;

    public IReadOnlyList<AppHeader> Headers { get; init; } = [];

    public string? Authority { get; init; }

    public string? CaFile { get; init; }

    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    public TimeSpan StartTimeout { get; init; }

    public TimeSpan ConnectTimeout { get; init; }

    public TimeSpan CallTimeout { get; init; }

    /// <summary>Zero: no limit.</summary>
    public TimeSpan KeepAliveTimeout { get; init; }

    // The generated one would print every member that a later change adds, and some are secrets.
    public override string ToString() => $"{nameof(ApplicationSettings)} {{ Address = {Address} }}";
}
