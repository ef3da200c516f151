using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// Says, before every connect, where the manager is now. The flag counts most, for a person typed it; then the env file, which a
/// restarted CLI writes anew while an inherited variable keeps the old port; then what the process was started with.
/// </summary>
internal sealed class ManagerLocator(ManagerSettings settings)
{
    private readonly EnvFile? _envFile = settings.EnvFile is null ? null : new(settings.EnvFile);

    /// <summary>An address, or the reason why there is none yet.</summary>
    public Parsed<Uri?> Locate()
    {
        if (_envFile is null || settings.AddressSource.Origin == SettingOrigin.Flag)
        {
            return Known("there is no env file to look into");
        }

        return InEnvFile() ?? Known(_envFile.WhyWithout(ManagerSettingTable.Manager.EnvironmentVariable));
    }

    /// <summary>What the env file says, whether it counts or not. Null if there is none or it says nothing of a manager.</summary>
    public Parsed<Uri?>? InEnvFile()
    {
        var variable = ManagerSettingTable.Manager.EnvironmentVariable;
        if (_envFile is null || !_envFile.TryRead().TryGetValue(variable, out var text) || text.Length == 0)
        {
            return null;
        }

        var parsed = ManagerAddress.Parse(text);
        return parsed.Problem is null ? parsed : Parsed<Uri?>.Bad($"{variable} in {_envFile.Path}: {parsed.Problem}");
    }

    /// <summary>Where an address that this gave was said.</summary>
    public string SourceOf(Uri address) => address == settings.Address ? settings.AddressSource.ToString() : settings.EnvFile!;

    private Parsed<Uri?> Known(string otherwise) =>
        settings.Address is null ? Parsed<Uri?>.Bad(otherwise) : Parsed<Uri?>.Good(settings.Address);
}
