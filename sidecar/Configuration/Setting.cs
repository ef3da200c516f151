namespace Genkit.Sidecar.Configuration;

/// <summary>One row of <see cref="SettingTable"/>: everything that the parser, the help and docs/settings.md need to know about a setting.</summary>
internal abstract class Setting
{
    /// <summary>Without dashes; this is also the key in the configuration file.</summary>
    public required string Name { get; init; }

    public string Flag => "--" + Name;

    public required string EnvironmentVariable { get; init; }

    public required SettingGroup Group { get; init; }

    public required string Placeholder { get; init; }

    public required string Description { get; init; }

    /// <summary>Why the default is what it is.</summary>
    public required string Reason { get; init; }

    /// <summary>Ends every complaint about a bad value.</summary>
    public required string Accepts { get; init; }

    /// <summary>Read by the setting's own parser, so that what the help shows is what is used.</summary>
    public string? Default { get; init; }

    /// <summary>Shown where the default is not a value but a behaviour.</summary>
    public string DefaultNote { get; init; } = "none";

    public string DefaultText => Default ?? DefaultNote;

    public bool IsRepeatable { get; init; }

    /// <summary>False for the one setting that says where the file is.</summary>
    public bool IsInFile { get; init; } = true;
}
