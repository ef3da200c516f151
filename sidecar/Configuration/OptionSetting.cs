namespace Genkit.Sidecar.Configuration;

/// <summary>A setting and the record of options that has its value.</summary>
internal abstract class OptionSetting<TOptions> : Setting
{
    public abstract TOptions Read(SettingsReader reader, TOptions options);
}

/// <summary>A setting and the property that has its value.</summary>
internal sealed class OptionSetting<TOptions, T>(
    SettingValue<T> value, Func<TOptions, T, TOptions> set, Func<TOptions, SettingSource, TOptions>? setSource) : OptionSetting<TOptions>
{
    /// <summary>A wrong value is reported to <paramref name="reader"/>, and the default set instead.</summary>
    public override TOptions Read(SettingsReader reader, TOptions options)
    {
        if (reader.InputOf(this) is { } input)
        {
            options = setSource is null ? options : setSource(options, input.Source);
            if (reader.TryParse(this, input, value, out var given))
            {
                return set(options, given!);
            }
        }

        return Default is null ? options : set(options, value.Parse([Default]).Value!);
    }
}
