namespace Genkit.Sidecar.Configuration;

/// <summary>Settings that belong together: a heading of the help and of the docs.</summary>
internal abstract class SettingGroup(string heading)
{
    public string Heading { get; } = heading;

    /// <summary>In the order of the help and of the docs, the most used first.</summary>
    public abstract IReadOnlyList<Setting> Settings { get; }
}

/// <summary>The settings that become one record of options.</summary>
/// <typeparam name="TOptions">The record. Each setting replaces it by one that has the setting's value.</typeparam>
internal sealed class SettingGroup<TOptions>(string heading) : SettingGroup(heading)
    where TOptions : class
{
    private readonly List<OptionSetting<TOptions>> _settings = [];

    public override IReadOnlyList<Setting> Settings => _settings;

    /// <summary>Declares a setting.</summary>
    /// <param name="name">Without dashes.</param>
    /// <param name="value">What its texts are and how they become its value.</param>
    /// <param name="set">Sets the property that has the value.</param>
    /// <param name="description">What it does, for the help and the docs; without a full stop.</param>
    /// <param name="reason">Why its default is what it is.</param>
    /// <param name="byDefault">The text that counts if none was given; null if the record's own initial value counts.</param>
    /// <param name="defaultNote">What the initial value means, worded for users.</param>
    /// <param name="setSource">Sets the property that tells where the value came from; null if there is none.</param>
    /// <param name="variable">Its environment variable, where Genkit has given it a name.</param>
    /// <param name="isInFile">Whether the configuration file may have it.</param>
    public OptionSetting<TOptions> Add<T>(
        string name,
        SettingValue<T> value,
        Func<TOptions, T, TOptions> set,
        string description,
        string reason,
        string? byDefault = null,
        string defaultNote = "none",
        Func<TOptions, SettingSource, TOptions>? setSource = null,
        string? variable = null,
        bool isInFile = true)
    {
        var setting = new OptionSetting<TOptions, T>(value, set, setSource)
        {
            Name = name,
            EnvironmentVariable = variable ?? "GENKIT_SIDECAR_" + name.ToUpperInvariant().Replace('-', '_'),
            Placeholder = value.Placeholder,
            Description = description,
            Reason = reason,
            Accepts = value.Accepts,
            Default = byDefault,
            DefaultNote = defaultNote,
            IsRepeatable = value.IsRepeatable,
            IsInFile = isInFile,
        };
        _settings.Add(setting);
        return setting;
    }

    /// <summary>Gives <paramref name="options"/> the values of all settings of the group.</summary>
    public TOptions Read(SettingsReader reader, TOptions options) =>
        _settings.Aggregate(options, (read, setting) => setting.Read(reader, read));
}
