using System.Globalization;
using System.Security.Cryptography;

namespace Genkit.Sidecar.Configuration;

/// <summary>How the runtime appears to the CLI and the Dev UI. <see cref="RuntimeSettingTable"/> describes each setting.</summary>
internal sealed record RuntimeSettings
{
    /// <summary>Null: what the application says counts.</summary>
    public string? Name { get; init; }

    public string Id { get; init; } = NewId();

    public SettingSource IdSource { get; init; } = SettingSource.Default;

    /// <summary>Genkit's environment. What follows from it, <see cref="EnabledEndpoints"/> says.</summary>
    public string? GenkitEnv { get; init; }

    /// <summary>Null: to be found.</summary>
    public string? ProjectRoot { get; init; }

    private static string NewId() =>
        string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
}
