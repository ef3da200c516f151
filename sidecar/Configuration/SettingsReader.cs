using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace Genkit.Sidecar.Configuration;

/// <summary>Makes the settings out of flags, environment, file and defaults, in that order of precedence. Used once, at the start.</summary>
internal sealed class SettingsReader
{
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _flags;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly IReadOnlyDictionary<string, SettingInput> _file;
    private readonly IReadOnlySet<Setting> _ignored;
    private readonly List<string> _problems = [];
    private readonly HashSet<Setting> _wrong = [];

    private SettingsReader(
        IReadOnlyDictionary<string, IReadOnlyList<string>> flags, IReadOnlyDictionary<string, string> environment, IReadOnlySet<Setting> ignored)
    {
        _flags = flags;
        _environment = environment;
        _ignored = ignored;
        _file = new Dictionary<string, SettingInput>();

        var path = Value(SettingTable.Config, out var source);
        if (path is not null)
        {
            _file = SettingsFile.Read(path, source, _problems);
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

    private SidecarSettings ReadAll(bool needsEndpoint)
    {
        var settings = new SidecarSettings
        {
            GenkitEnv = Value(SettingTable.GenkitEnv, out _),
            ReflectionV1 = Value(SettingTable.ReflectionV1, out var reflectionV1),
            ReflectionV1Source = reflectionV1,
            ReflectionV1AllowedHosts = Value(SettingTable.ReflectionV1AllowHost, out _) ?? [],
            ProjectRoot = Value(SettingTable.ProjectRoot, out _),
            Manager = Value(SettingTable.Manager, out var manager),
            ManagerSource = manager,
            EnvFile = Value(SettingTable.EnvFile, out var envFile),
            Name = Value(SettingTable.Name, out _),
            RuntimeId = Value(SettingTable.RuntimeId, out var runtimeId) ?? NewRuntimeId(),
            RuntimeIdSource = runtimeId,
            RegisterTimeout = Value(SettingTable.RegisterTimeout, out _),
            KeepAliveInterval = Value(SettingTable.KeepAliveInterval, out var keepAliveInterval),
            KeepAliveTimeout = Value(SettingTable.KeepAliveTimeout, out var keepAliveTimeout),
            ReconnectInterval = Value(SettingTable.ReconnectInterval, out var reconnectInterval),
            ReconnectMaxInterval = Value(SettingTable.ReconnectMaxInterval, out var reconnectMaxInterval),
            MaxMessageBytes = Value(SettingTable.MaxMessageBytes, out _),
            App = Value(SettingTable.App, out var app)!,
            AppSource = app,
            AppHeaders = Value(SettingTable.AppHeader, out _) ?? [],
            AppAuthority = Value(SettingTable.AppAuthority, out _),
            AppCaFile = Value(SettingTable.AppCa, out var appCa),
            AppCertificateFile = Value(SettingTable.AppCert, out var appCert),
            AppKeyFile = Value(SettingTable.AppKey, out var appKey),
            AppStartTimeout = Value(SettingTable.AppStartTimeout, out _),
            AppConnectTimeout = Value(SettingTable.AppConnectTimeout, out _),
            AppCallTimeout = Value(SettingTable.AppCallTimeout, out _),
            AppKeepAliveTimeout = Value(SettingTable.AppKeepAliveTimeout, out _),
            RunTimeout = Value(SettingTable.RunTimeout, out _),
            RunGrace = Value(SettingTable.RunGrace, out _),
            MaxConcurrentRuns = Value(SettingTable.MaxConcurrentRuns, out _),
            MaxInputQueueBytes = Value(SettingTable.MaxInputQueueBytes, out _),
            FlowServer = ReadFlowServer(),
            TelemetryServer = Value(SettingTable.TelemetryServer, out _),
            TelemetryAllowedHosts = Value(SettingTable.TelemetryAllowHost, out _) ?? [],
            RealtimeTelemetry = Value(SettingTable.RealtimeTelemetry, out var realtimeTelemetry),
            RealtimeTelemetrySource = realtimeTelemetry,
            TelemetryWait = Value(SettingTable.TelemetryWait, out _),
            TelemetryTimeout = Value(SettingTable.TelemetryTimeout, out _),
            TelemetryMaxSpanBytes = Value(SettingTable.TelemetryMaxSpanBytes, out _),
            TelemetryMaxQueueBytes = Value(SettingTable.TelemetryMaxQueueBytes, out _),
            OtlpGrpc = Value(SettingTable.OtlpGrpc, out var otlpGrpc)!,
            OtlpGrpcSource = otlpGrpc,
            OtlpHttp = Value(SettingTable.OtlpHttp, out var otlpHttp)!,
            OtlpHttpSource = otlpHttp,
            OtlpToken = Value(SettingTable.OtlpToken, out _),
            OtlpAdvertise = Value(SettingTable.OtlpAdvertise, out _),
            OtlpMaxRequestBytes = Value(SettingTable.OtlpMaxRequestBytes, out _),
            Health = Value(SettingTable.Health, out var health)!,
            HealthSource = health,
            MetricsToken = Value(SettingTable.MetricsToken, out _),
            StopTimeout = Value(SettingTable.StopTimeout, out _),
            DrainTimeout = Value(SettingTable.DrainTimeout, out _),
            LogLevel = Value(SettingTable.LogLevel, out _),
            LogFormat = Value(SettingTable.LogFormat, out _),
        };

        CheckEndpoints(settings, needsEndpoint);
        CheckTls(settings.App, app, appCa, appCert, appKey);
        CheckOtlp(settings);

        // A value that is wrong by itself reads as zero here, and is not complained about twice.
        if (settings.ReconnectMaxInterval > TimeSpan.Zero && settings.ReconnectInterval > settings.ReconnectMaxInterval)
        {
            Complain(
                [SettingTable.ReconnectInterval, SettingTable.ReconnectMaxInterval],
                $"{Named(SettingTable.ReconnectInterval, reconnectInterval)}: is longer than " +
                $"{Named(SettingTable.ReconnectMaxInterval, reconnectMaxInterval)}; accepted: at most that");
        }

        // Refused, not warned about: a manager that went away unseen for longer makes every caller believe in a dead runtime.
        if (settings.KeepAliveInterval + settings.KeepAliveTimeout >= TimeSpan.FromSeconds(15)
            && settings.KeepAliveInterval > TimeSpan.Zero && settings.KeepAliveTimeout > TimeSpan.Zero)
        {
            Complain(
                [SettingTable.KeepAliveInterval, SettingTable.KeepAliveTimeout],
                $"{Named(SettingTable.KeepAliveInterval, keepAliveInterval)} and {Named(SettingTable.KeepAliveTimeout, keepAliveTimeout)}: " +
                "are 15s or more together; accepted: less");
        }

        return settings.TelemetryServer is { Url: null } ? WithoutOtlp(settings) : settings;
    }

    /// <summary>What nobody would get need not be taken, unless somebody says so.</summary>
    private static SidecarSettings WithoutOtlp(SidecarSettings settings) => settings with
    {
        OtlpGrpc = settings.OtlpGrpcSource == SettingSource.Default ? OtlpAddress.Off : settings.OtlpGrpc,
        OtlpHttp = settings.OtlpHttpSource == SettingSource.Default ? OtlpAddress.Off : settings.OtlpHttp,
    };

    private void CheckOtlp(SidecarSettings settings)
    {
        foreach (var (setting, address, source) in new (Setting, OtlpAddress?, SettingSource)[]
        {
            (SettingTable.OtlpGrpc, settings.OtlpGrpc, settings.OtlpGrpcSource),
            (SettingTable.OtlpHttp, settings.OtlpHttp, settings.OtlpHttpSource),
        })
        {
            // A token that is wrong is complained of as that.
            if (address is { IsBeyondLoopback: true } && settings.OtlpToken is null && Input(SettingTable.OtlpToken) is null)
            {
                Complain([setting], $"{source}: {QuotedText.Text(address.Text)} is open to other machines, who then need a token ({SettingTable.OtlpToken.Flag} or {SettingTable.OtlpToken.EnvironmentVariable}); accepted: with a token {setting.Accepts}, without one an address of the loopback, or off");
            }
        }

        // A default may still give way to a free port.
        if (settings.OtlpGrpcSource != SettingSource.Default && settings.OtlpHttpSource != SettingSource.Default
            && settings.OtlpGrpc?.EndPoint is { Port: > 0 } grpc && grpc.Equals(settings.OtlpHttp?.EndPoint))
        {
            Complain([SettingTable.OtlpGrpc, SettingTable.OtlpHttp], $"{settings.OtlpGrpcSource} and {settings.OtlpHttpSource}: are one address; accepted: one for each");
        }
    }

    private FlowServerSettings ReadFlowServer()
    {
        var settings = new FlowServerSettings
        {
            Address = Value(SettingTable.FlowServer, out var address)!,
            AddressSource = address,
            PathPrefix = Value(SettingTable.FlowPathPrefix, out _) ?? "",
            Actions = Value(SettingTable.FlowActions, out _) ?? [],
            Token = Value(SettingTable.FlowToken, out var token),
            Context = Value(SettingTable.FlowContext, out var context) ?? [],
            CorsOrigins = Value(SettingTable.FlowCorsOrigin, out _) ?? [],
            MaxBodyBytes = Value(SettingTable.FlowMaxBodyBytes, out _),
            Timeout = Value(SettingTable.FlowTimeout, out _),
            RateLimit = Value(SettingTable.FlowRateLimit, out _),
            ClientHeader = Value(SettingTable.FlowClientHeader, out _),
            RateBurst = Value(SettingTable.FlowRateBurst, out _),
            MaxConcurrent = Value(SettingTable.FlowMaxConcurrent, out _),
            Compression = Value(SettingTable.FlowCompression, out _),
        };

        if (settings.Address?.EndPoint is IPEndPoint endPoint && !IPAddress.IsLoopback(endPoint.Address) && token == SettingSource.Default)
        {
            Complain(
                [SettingTable.FlowServer],
                $"{address}: {settings.Address} is beyond loopback, and whoever reaches it could run every flow; accepted: a loopback address, or {SettingTable.FlowToken.Flag} with it");
        }

        if (settings.Token is not null && settings.Context.Any(header => header.Header.Equals("Authorization", StringComparison.OrdinalIgnoreCase)))
        {
            Complain(
                [SettingTable.FlowContext],
                $"{context}: takes the header Authorization, which shows the token of {token} and is not for the application; accepted: another header");
        }

        return settings;
    }

    private void CheckEndpoints(SidecarSettings settings, bool needsEndpoint)
    {
        if (needsEndpoint && !EnabledEndpoints.Of(settings).Any)
        {
            _problems.Add(
                $"flag {SettingTable.Manager.Flag}: is missing, and so are environment variable {SettingTable.Manager.EnvironmentVariable}, flag {SettingTable.EnvFile.Flag}, " +
                $"flag {SettingTable.ReflectionV1.Flag} and flag {SettingTable.FlowServer.Flag}, and {EnabledEndpoints.WhyReflectionV1IsDisabled(settings)}: nobody could use the application. `genkit start` sets the variables for the command that it starts");
        }

        if (settings.ReflectionV1?.EndPoint is { } endPoint && !IPAddress.IsLoopback(endPoint.Address) && settings.ReflectionV1AllowedHosts.Count == 0)
        {
            Complain(
                [SettingTable.ReflectionV1],
                $"{settings.ReflectionV1Source}: {settings.ReflectionV1} is beyond loopback, and whoever reaches it may run every action; " +
                $"accepted: a loopback address, or {SettingTable.ReflectionV1AllowHost.Flag} with it, for those who want just that");
        }
    }

    private void CheckTls(ApplicationAddress? app, SettingSource appSource, SettingSource ca, SettingSource certificate, SettingSource key)
    {
        if ((certificate == SettingSource.Default) != (key == SettingSource.Default))
        {
            var (missing, source) = key == SettingSource.Default ? (SettingTable.AppKey, certificate) : (SettingTable.AppCert, key);
            Complain([SettingTable.AppCert, SettingTable.AppKey], $"{source}: comes without {missing.Flag}; accepted: both or neither");
        }

        if (app is null or { IsTls: true })
        {
            return;
        }

        var address = appSource == SettingSource.Default ? Named(SettingTable.App, appSource) : $"{app}, from {appSource}";
        foreach (var (setting, source) in new (Setting, SettingSource)[] { (SettingTable.AppCa, ca), (SettingTable.AppCert, certificate), (SettingTable.AppKey, key) })
        {
            if (source != SettingSource.Default)
            {
                Complain([setting], $"{source}: has no meaning without TLS, and there is none to {address}; accepted: an https:// address");
            }
        }
    }

    private T? Value<T>(TypedSetting<T> setting, out SettingSource source)
    {
        if (Input(setting) is not { } input)
        {
            source = SettingSource.Default;
            return setting.Default is null ? default : setting.Parser([setting.Default]).Value;
        }

        source = input.Source;
        if (input.Texts.Count > 1 && !setting.IsRepeatable)
        {
            Complain([setting], $"{source}: was given {input.Texts.Count} times; accepted: once");
            return default;
        }

        if (input.Texts.Any(text => text.Length == 0))
        {
            Complain([setting], $"{source}: is empty; accepted: {setting.Accepts}");
            return default;
        }

        var parsed = setting.Parser(input.Texts);
        if (parsed.Problem is not null)
        {
            Complain([setting], $"{source}: {parsed.Problem}; accepted: {setting.Accepts}");
        }

        return parsed.Value;
    }

    private void Complain(IEnumerable<Setting> about, string problem)
    {
        _wrong.UnionWith(about);
        _problems.Add(problem);
    }

    private SettingInput? Input(Setting setting)
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

    private static string Named(Setting setting, SettingSource source) => source == SettingSource.Default
        ? $"the default of {setting.Flag} ({setting.DefaultText})"
        : source.ToString();

    private static string NewRuntimeId() =>
        string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
}
