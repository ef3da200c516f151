using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.ReflectionV2;

namespace Genkit.Sidecar.Doctor;

/// <summary>The first step: what the settings say, and whether they say one thing.</summary>
internal sealed class SettingsStep(PartialSettings reading, Surroundings surroundings)
{
    /// <summary>What to do where a file does not answer.</summary>
    public static readonly IReadOnlyList<string> Silence =
        [$"`{ManagerSettingTable.EnvFile.Flag}` with a regular file on a disk that answers: this one cannot be opened or read now"];

    private readonly SidecarSettings _settings = reading.Settings;
    private readonly EnabledEndpoints _endpoints = EnabledEndpoints.Of(reading.Settings);

    /// <summary>Where <c>run</c> would connect to; null if it would not know, or not be sure.</summary>
    public Uri? Manager { get; private set; }

    public async Task<Finding> ExamineAsync(CancellationToken cancellationToken)
    {
        var located = new ManagerLocator(_settings.Manager).Locate();
        Manager = reading.Wrong.Contains(ManagerSettingTable.EnvFile) ? null : located.Value;
        var found = new List<string>(reading.Problems);
        var remedies = new List<string>();
        if (located.Problem is not null && (_settings.Manager.EnvFile is not null || !_endpoints.Any) && !reading.Wrong.Overlaps([ManagerSettingTable.Manager, ManagerSettingTable.EnvFile, ProcessSettingTable.Config]))
        {
            if (_settings.Manager.EnvFile is not null)
            {
                found.Add(located.Problem);
            }

            remedies.AddRange(await WithoutManagerAsync(cancellationToken));
        }

        remedies.AddRange(reading.Wrong.Select(setting => $"`{setting.Flag} {setting.Placeholder}` ({setting.EnvironmentVariable}) takes {setting.Accepts}"));
        if (found.Count > 0)
        {
            remedies.AddRange(remedies.Count == 0 ? ["Correct the file that `--config` names"] : []);
            return Finding.Failed(string.Join("; ", found), remedies);
        }

        return Contradiction() ?? Finding.Ok(Said());
    }

    private async Task<IReadOnlyList<string>> WithoutManagerAsync(CancellationToken cancellationToken)
    {
        var here = await new ManagerSearch(ManagerSocketOptions.From(_settings.Manager, _settings.Limits)).FindAsync(except: null, [], cancellationToken);
        string[] start = surroundings.IsUnderGenkit
            ? ["`genkit start --experimental-reflection-v2 -- …`: the CLI's variables are here, but without that flag not the one for the manager"]
            : ["Let the CLI start the sidecar: `genkit start --experimental-reflection-v2 -- genkit-sidecar run`"];
        return
        [
            .. start,
            ManagerRefusal.EnvFileRemedy,
            .. here.Select(manager => $"`--manager {Shown(manager)}`: a WebSocket answers there, most likely a manager"),
        ];
    }

    /// <summary>Two addresses of which one does not count, and may be the right one.</summary>
    private Finding? Contradiction()
    {
        var inFile = new ManagerLocator(_settings.Manager).InEnvFile()?.Value;
        if (inFile is null || _settings.Manager.Address is null || inFile == _settings.Manager.Address)
        {
            return null;
        }

        var isFlag = _settings.Manager.AddressSource.Origin == SettingOrigin.Flag;
        return Finding.Warning(
            $"{Said()}; {_settings.Manager.EnvFile} says {Shown(inFile)}, but {_settings.Manager.AddressSource} says {Shown(_settings.Manager.Address)}, and {(isFlag ? "the flag" : "the file")} counts",
            isFlag
                ? $"Leave out `{ManagerSettingTable.Manager.Flag}`, should the CLI have been restarted since"
                : $"Unset {ManagerSettingTable.Manager.EnvironmentVariable}, or leave out `{ManagerSettingTable.EnvFile.Flag}`, whichever is older");
    }

    private string Said() =>
        $"{(Manager is null ? "no manager, Reflection API v1 alone" : $"manager {Shown(Manager)}, from {new ManagerLocator(_settings.Manager).SourceOf(Manager)}")}; " +
        $"application {_settings.Application.Address}, from {_settings.Application.AddressSource}" +
        (surroundings.Proxy is { } proxy ? $"; {proxy} is set and not used" : "");

    private static string Shown(Uri manager) => $"{manager.Scheme}://{manager.Authority}";
}
