namespace Genkit.Sidecar.Configuration;

/// <summary>Where a value came from, in the words an operator needs to find it again.</summary>
internal sealed record SettingSource(SettingOrigin Origin, string Description)
{
    public static readonly SettingSource Default = new(SettingOrigin.Default, "default");

    public static SettingSource Flag(string flag) => new(SettingOrigin.Flag, $"flag {flag}");

    public static SettingSource Environment(string variable) => new(SettingOrigin.Environment, $"environment variable {variable}");

    public static SettingSource File(string key, string path) => new(SettingOrigin.File, $"key \"{key}\" of {path}");

    public override string ToString() => Description;
}
