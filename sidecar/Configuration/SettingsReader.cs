namespace Genkit.Sidecar.Configuration;

/// <summary>Makes the settings out of flags, environment, file and defaults, in that order of precedence. Used once, at the start.</summary>
internal sealed class SettingsReader
{
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _flags;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly IReadOnlySet<Setting> _ignored;
    private readonly IReadOnlyDictionary<string, SettingInput> _file = new Dictionary<string, SettingInput>();
    private readonly List<string> _problems = [];
    private readonly HashSet<Setting> _wrong = [];

    private SettingsReader(
        IReadOnlyDictionary<string, IReadOnlyList<string>> flags, IReadOnlyDictionary<string, string> environment, IReadOnlySet<Setting> ignored)
    {
        _flags = flags;
        _environment = environment;
        _ignored = ignored;
        if (ProcessSettingTable.Config.Read(this, new ProcessSettings()).ConfigFile is { } path
            && !SettingsFile.TryRead(path, SourceOf(ProcessSettingTable.Config), _problems, out _file))
        {
            _wrong.Add(ProcessSettingTable.Config);
        }
    }

    /// <param name="flags">By setting name; a flag that was given twice has two texts.</param>
    /// <param name="environment">Variables; an empty one counts as unset.</param>
    /// <param name="needsEndpoint">Whether there is nothing to do without an endpoint.</param>
    public static SettingsReading Read(
        IReadOnlyDictionary<string, IReadOnlyList<string>> flags, IReadOnlyDictionary<string, string> environment, bool needsEndpoint)
    {
        var reader = new SettingsReader(flags, environment, new HashSet<Setting>());
        var settings = reader.ReadAll(needsEndpoint);
        return new(reader._problems.Count == 0 ? settings : null, reader._problems);
    }

    /// <summary>Reads the good ones even where others are wrong, each of which then has its default.</summary>
    /// <param name="flags">By setting name; a flag that was given twice has two texts.</param>
    /// <param name="environment">Variables; an empty one counts as unset.</param>
    public static PartialSettings ReadGood(
        IReadOnlyDictionary<string, IReadOnlyList<string>> flags, IReadOnlyDictionary<string, string> environment)
    {
        var reader = new SettingsReader(flags, environment, new HashSet<Setting>());
        var settings = reader.ReadAll(needsEndpoint: true);
        var (problems, wrong) = (reader._problems, reader._wrong);

        // Once more without a wrong one, two that contradicted each other may no longer do so, or two others may.
        for (var known = -1; wrong.Count > known;)
        {
            known = wrong.Count;
            reader = new SettingsReader(flags, environment, wrong);
            settings = reader.ReadAll(needsEndpoint: false);
            wrong = [.. wrong, .. reader._wrong];
        }

        return new(settings, problems, wrong);
    }

    /// <summary>What was given for <paramref name="setting"/>, where it counts most; null if its default counts.</summary>
    public SettingInput? InputOf(Setting setting)
    {
        if (_ignored.Contains(setting))
        {
            return null;
        }

        if (_flags.TryGetValue(setting.Name, out var texts))
        {
            return new(SettingSource.Flag(setting.Flag), texts);
        }

        if (_environment.TryGetValue(setting.EnvironmentVariable, out var text) && text.Length > 0)
        {
            return new(
                SettingSource.Environment(setting.EnvironmentVariable),
                setting.IsRepeatable ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [text]);
        }

        return _file.GetValueOrDefault(setting.Name);
    }

    public SettingSource SourceOf(Setting setting) => InputOf(setting)?.Source ?? SettingSource.Default;

    /// <summary>Whether what was given for <paramref name="setting"/> has been complained about.</summary>
    public bool IsWrong(Setting setting) => _wrong.Contains(setting);

    /// <summary>Makes the value of <paramref name="setting"/> out of what was given, or complains about that.</summary>
    public bool TryParse<T>(Setting setting, SettingInput input, SettingValue<T> value, out T? parsed)
    {
        (parsed, var problem) = input.Texts switch
        {
            { Count: > 1 } when !setting.IsRepeatable => Parsed<T>.Bad($"was given {input.Texts.Count} times"),
            _ when input.Texts.Any(text => text.Length == 0) => Parsed<T>.Bad("is empty"),
            _ => value.Parse(input.Texts),
        };
        if (problem is null)
        {
            return true;
        }

        // The name of the file is read before all other settings, and then again with its group.
        if (!IsWrong(setting))
        {
            var accepted = input.Texts.Count > 1 && !setting.IsRepeatable ? "once" : setting.Accepts;
            Complain([setting], $"{input.Source}: {problem}; accepted: {accepted}");
        }

        return false;
    }

    /// <param name="about">The settings of which at least one has to change.</param>
    /// <param name="problem">What is wrong, where it was said, and what is accepted.</param>
    public void Complain(IEnumerable<Setting> about, string problem)
    {
        _wrong.UnionWith(about);
        _problems.Add(problem);
    }

    private SidecarSettings ReadAll(bool needsEndpoint)
    {
        var settings = new SidecarSettings
        {
            Runtime = RuntimeSettingTable.Group.Read(this, new()),
            ReflectionV1 = ReflectionV1SettingTable.Group.Read(this, new()),
            Manager = ManagerSettingTable.Group.Read(this, new()),
            Application = ApplicationSettingTable.Group.Read(this, new()),
            Limits = LimitSettingTable.Group.Read(this, new()),
            FlowServer = FlowServerSettingTable.Group.Read(this, new()),
            Telemetry = TelemetrySettingTable.Group.Read(this, new()),
            Otlp = OtlpSettingTable.Group.Read(this, new()),
            Health = HealthSettingTable.Group.Read(this, new()),
            Process = ProcessSettingTable.Group.Read(this, new()),
            Logging = LoggingSettingTable.Group.Read(this, new()),
        };

        // What is missing may be in the file that could not be read, which is the one mistake then.
        if (!IsWrong(ProcessSettingTable.Config))
        {
            new SettingsCheck(this, settings).Run(needsEndpoint);
        }

        // Without a telemetry server there is nothing to take telemetry for, unless an address was given.
        return settings.Telemetry.Server is { Url: null }
            ? settings with { Otlp = settings.Otlp.WithDefaultsAt(OtlpAddress.Off) }
            : settings;
    }
}
