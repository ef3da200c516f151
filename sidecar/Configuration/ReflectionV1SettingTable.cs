namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="ReflectionV1Settings"/>.</summary>
internal static class ReflectionV1SettingTable
{
    public static readonly SettingGroup<ReflectionV1Settings> Group = new("Reflection API v1");

    public static readonly Setting ReflectionV1 = Group.Add(
        "reflection-v1",
        SettingValue.Single(
            "ADDRESS", "host:port with the IP address of an interface, localhost or * as host, or off", ReflectionV1Address.Parse),
        (settings, value) => settings with { Address = value },
        setSource: (settings, source) => settings with { AddressSource = source },
        defaultNote: "in `dev` the first free port of 127.0.0.1 from 3100 to 3200",
        description: "Address of the Reflection API v1 endpoint, which needs no credentials; `off` for none. An address beyond loopback needs --reflection-v1-allow-host",
        reason: "where Genkit's own runtimes serve it");

    public static readonly Setting ReflectionV1AllowHost = Group.Add(
        "reflection-v1-allow-host",
        SettingValue.Hosts,
        (settings, value) => settings with { AllowedHosts = value },
        defaultNote: "none but localhost and loopback addresses",
        description: "Host by which others may ask Reflection API v1 too, such as a container's name; may be repeated, in the variable one per line, in the file an array",
        reason: "the API has no authentication, runs every action, and can stop the sidecar");
}
