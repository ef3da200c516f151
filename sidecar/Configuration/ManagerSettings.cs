namespace Genkit.Sidecar.Configuration;

/// <summary>How the Genkit manager is reached. What each means stands in <see cref="ManagerSettingTable"/>.</summary>
internal sealed record ManagerSettings
{
    /// <summary>Null when only the env file will tell.</summary>
    public Uri? Address { get; init; }

    public SettingSource AddressSource { get; init; } = SettingSource.Default;

    public string? EnvFile { get; init; }

    public TimeSpan RegisterTimeout { get; init; }

    public TimeSpan KeepAliveInterval { get; init; }

    public TimeSpan KeepAliveTimeout { get; init; }

    public TimeSpan ReconnectInterval { get; init; }

    public TimeSpan ReconnectMaxInterval { get; init; }

    // The query of the address may hold a secret.
    public override string ToString() => $"{nameof(ManagerSettings)} {{ EnvFile = {EnvFile} }}";
}
