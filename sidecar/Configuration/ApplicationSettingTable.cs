namespace Genkit.Sidecar.Configuration;

/// <summary>The settings that become <see cref="ApplicationSettings"/>.</summary>
internal static class ApplicationSettingTable
{
    public static readonly SettingGroup<ApplicationSettings> Group = new("Application");

    public static readonly Setting App = Group.Add(
        "app",
        SettingValue.Single("ADDRESS", "http://host:port, https://host:port or unix:/path", ApplicationAddress.Parse),
        (settings, value) => settings with { Address = value },
        setSource: (settings, source) => settings with { AddressSource = source },
        byDefault: ApplicationAddress.Default.Text,
        description: "gRPC address of the application; `run -- command` without it takes a free port and says which in GENKIT_SIDECAR_LISTEN",
        reason: "the port of gRPC's own examples");

    public static readonly Setting AppHeader = Group.Add(
        "app-header",
        SettingValue.Repeated(
            "\"NAME: VALUE\"",
            "\"name: value\" with a legal gRPC metadata name that is not reserved; base64 as value of a -bin name",
            Configuration.AppHeader.ParseAll),
        (settings, value) => settings with { Headers = value },
        description: "Metadata sent with every call to the application; may be repeated, in the variable one per line, in the file an array",
        reason: "an application on the same machine needs no credentials");

    public static readonly Setting AppAuthority = Group.Add(
        "app-authority",
        SettingValue.Single("HOST", "host or host:port", Authority),
        (settings, value) => settings with { Authority = value },
        description: "Value of :authority, and the name that the application's certificate must have",
        reason: "the address says it");

    public static readonly Setting AppCa = Group.Add(
        "app-ca",
        SettingValue.Pem(PemFile.Certificate),
        (settings, value) => settings with { CaFile = value },
        description: "Certificates that the application's certificate must come from, instead of the system's",
        reason: "the system's are trusted");

    public static readonly Setting AppCert = Group.Add(
        "app-cert",
        SettingValue.Pem(PemFile.Certificate),
        (settings, value) => settings with { CertificateFile = value },
        description: "Certificate that the sidecar shows to the application; needs --app-key",
        reason: "few applications ask for one");

    public static readonly Setting AppKey = Group.Add(
        "app-key",
        SettingValue.Pem(PemFile.PrivateKey),
        (settings, value) => settings with { KeyFile = value },
        description: "Private key of --app-cert",
        reason: "see --app-cert");

    public static readonly Setting AppStartTimeout = Group.Add(
        "app-start-timeout",
        SettingValue.Duration("0", "10m"),
        (settings, value) => settings with { StartTimeout = value },
        byDefault: "20s",
        description: "How long the first register waits for the application to answer",
        reason: "the CLI gives up on a runtime after 30 s");

    public static readonly Setting AppConnectTimeout = Group.Add(
        "app-connect-timeout",
        SettingValue.Duration("10ms", "10m"),
        (settings, value) => settings with { ConnectTimeout = value },
        byDefault: "5s",
        description: "How long connecting to the application may take",
        reason: "shorter than any deadline of a call, so that \"not reachable\" is told from \"slow\"");

    public static readonly Setting AppCallTimeout = Group.Add(
        "app-call-timeout",
        SettingValue.Duration("10ms", "30s"),
        (settings, value) => settings with { CallTimeout = value },
        byDefault: "10s",
        description: "Deadline of ListActions, ListValues, GetRuntimeInfo and Configure",
        reason: "the manager gives up after 30 s");

    public static readonly Setting AppKeepAliveTimeout = Group.Add(
        "app-keep-alive-timeout",
        SettingValue.Duration("0", "10m"),
        (settings, value) => settings with { KeepAliveTimeout = value },
        byDefault: "15s",
        description: "Time without a byte from the application, while a call waits, after which its connection is closed; 0 for no limit",
        reason: "a connection that died without notice is replaced soon. An application that stops at a breakpoint needs 0");

    private static Parsed<string> Authority(string text) =>
        Uri.TryCreate("http://" + text, UriKind.Absolute, out var uri)
        && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0 && !text.AsSpan().ContainsAny('/', '#', '?')
            ? Parsed<string>.Good(text)
            : Parsed<string>.Bad($"{WebAddress.Shown(text)} is not a host");
}
