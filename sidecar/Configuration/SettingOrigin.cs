namespace Genkit.Sidecar.Configuration;

/// <summary>In order of precedence, weakest first.</summary>
internal enum SettingOrigin
{
    Default,
    File,
    Environment,
    Flag,
}
