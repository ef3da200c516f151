namespace Genkit.Sidecar.Configuration;

/// <summary>One row of a table of settings: everything that the parser, the help and the docs need to know about a setting.</summary>
internal abstract class Setting
{
    /// <summary>Without dashes; this is also the key in the configuration file.</summary>
    public required string Name { get; init; }

    public string Flag => "--" + Name;

    public required string EnvironmentVariable { get; init; }

    public required string Placeholder { get; init; }

    public required string Description { get; init; }

    /// <summary>What the description begins with: enough to choose a flag by.</summary>
    public string Summary => Description[..Math.Min(EndOf("; "), EndOf(". "))];

    /// <summary>Why the default is what it is.</summary>
    public required string Reason { get; init; }

    /// <summary>Ends every complaint about a bad value.</summary>
    public required string Accepts { get; init; }

    /// <summary>Read by the setting's own parser, so that what the help shows is what is used.</summary>
    public required string? Default { get; init; }

    /// <summary>Shown where the default is not a value but a behaviour.</summary>
    public required string DefaultNote { get; init; }

    public string DefaultText => Default ?? DefaultNote;

    public required bool IsRepeatable { get; init; }

    /// <summary>False for the one setting that names the file.</summary>
    public required bool IsInFile { get; init; }

    private int EndOf(string separator) =>
        Description.IndexOf(separator, StringComparison.Ordinal) is var end and >= 0 ? end : Description.Length;
}
