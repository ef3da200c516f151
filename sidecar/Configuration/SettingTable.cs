using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Configuration;

/// <summary>The one place where a setting is declared: the parser, <c>--help</c> and docs/settings.md use it.</summary>
internal static class SettingTable
{
    private const string Prefix = "GENKIT_SIDECAR_";

    public static readonly TypedSetting<string?> GenkitEnv = new()
    {
        Name = "genkit-env",
        EnvironmentVariable = "GENKIT_ENV",
        Group = SettingGroup.Doors,
        Placeholder = "NAME",
        DefaultNote = "none, which is not `dev`",
        Description = "Genkit's environment: `dev` opens what is for development",
        Reason = "the Genkit CLI sets the variable for the command it starts; production does not set it",
        Accepts = "a name without control characters",
        Parser = Text(),
    };

    public static readonly TypedSetting<ReflectionV1Address?> ReflectionV1 = new()
    {
        Name = "reflection-v1",
        EnvironmentVariable = Variable("reflection-v1"),
        Group = SettingGroup.Doors,
        Placeholder = "ADDRESS",
        DefaultNote = "in `dev` the first free port of 127.0.0.1 from 3100 to 3200",
        Description = "Address of the Reflection API v1 endpoint, which needs no credentials; `off` for none. An address beyond loopback needs --reflection-v1-allow-host",
        Reason = "where Genkit's own runtimes serve it",
        Accepts = "host:port with the IP address of an interface, localhost or * as host, or off",
        Parser = TypedSetting<ReflectionV1Address?>.Single(ReflectionV1Address.Parse!),
    };

    public static readonly TypedSetting<IReadOnlyList<string>> ReflectionV1AllowHost = new()
    {
        Name = "reflection-v1-allow-host",
        EnvironmentVariable = Variable("reflection-v1-allow-host"),
        Group = SettingGroup.Doors,
        Placeholder = "HOST",
        DefaultNote = "none but localhost and loopback addresses",
        Description = "Host by which others may ask Reflection API v1 too, such as a container's name; may be repeated, in the variable one per line, in the file an array",
        Reason = "the API has no authentication, runs every action, and can stop the sidecar",
        Accepts = "host names or IP addresses, without port",
        IsRepeatable = true,
        Parser = Hosts,
    };

    public static readonly TypedSetting<string?> ProjectRoot = new()
    {
        Name = "project-root",
        EnvironmentVariable = Variable("project-root"),
        Group = SettingGroup.Doors,
        Placeholder = "FOLDER",
        DefaultNote = "the nearest folder with a package.json, go.mod, pyproject.toml or the like, else the working directory",
        Description = "Folder of the project, whose .genkit/runtimes has the runtime file of Reflection API v1",
        Reason = "the Genkit CLI looks for it by the same files",
        Accepts = "a path",
        Parser = Text(),
    };

    public static readonly TypedSetting<string?> Config = new()
    {
        Name = "config",
        EnvironmentVariable = Prefix + "CONFIG",
        Group = SettingGroup.Process,
        Placeholder = "FILE",
        Description = "JSON file of settings, keyed by flag name without the dashes; comments and trailing commas are fine",
        Reason = "everything can be said without a file",
        Accepts = "the path of a readable JSON file",
        IsInFile = false,
        Parser = Text(),
    };

    public static readonly TypedSetting<Uri?> Manager = new()
    {
        Name = "manager",
        EnvironmentVariable = "GENKIT_REFLECTION_V2_SERVER",
        Group = SettingGroup.Manager,
        Placeholder = "URL",
        Description = "WebSocket address of the Genkit manager",
        DefaultNote = "none",
        Reason = "the Genkit CLI picks a free port and sets the variable for the command it starts",
        Accepts = "ws://host:port or wss://host:port",
        Parser = TypedSetting<Uri?>.Single(ManagerAddress.Parse),
    };

    public static readonly TypedSetting<string?> EnvFile = new()
    {
        Name = "env-file",
        EnvironmentVariable = Prefix + "ENV_FILE",
        Group = SettingGroup.Manager,
        Placeholder = "FILE",
        Description = "File of `genkit start --write-env-file`, read again before every connect; its GENKIT_REFLECTION_V2_SERVER wins over all but --manager",
        Reason = "a restarted CLI may listen on another port, so the file is newer than an inherited variable; it may not exist yet",
        Accepts = "a path",
        Parser = Text(),
    };

    public static readonly TypedSetting<string?> Name = new()
    {
        Name = "name",
        EnvironmentVariable = Prefix + "NAME",
        Group = SettingGroup.Manager,
        Placeholder = "NAME",
        Description = "Name of the application in the Dev UI",
        DefaultNote = "what GetRuntimeInfo says, else the runtime id",
        Reason = "the application knows its own name",
        Accepts = "a name without control characters",
        Parser = Text(),
    };

    public static readonly TypedSetting<string?> RuntimeId = new()
    {
        Name = "runtime-id",
        EnvironmentVariable = "GENKIT_RUNTIME_ID",
        Group = SettingGroup.Manager,
        Placeholder = "ID",
        Description = "Id to register with; the manager replaces a runtime by the next one of the same id",
        DefaultNote = "process id and a random suffix",
        Reason = "two containers are both process 1",
        Accepts = "an id without control characters",
        Parser = Text(),
    };

    public static readonly TypedSetting<TimeSpan> RegisterTimeout = Time("register-timeout", SettingGroup.Manager, "10s", "100ms", "10m",
        "How long connecting to the manager, and then its answer to `register`, may take before it is tried anew",
        "the manager never answers a register that it dislikes");

    public static readonly TypedSetting<TimeSpan> KeepAliveInterval = Time("keep-alive-interval", SettingGroup.Manager, "5s", "100ms", "15s",
        "How often an idle manager connection is pinged",
        "the manager does not ping; with the timeout a dead connection is found in less than 15 s");

    public static readonly TypedSetting<TimeSpan> KeepAliveTimeout = Time("keep-alive-timeout", SettingGroup.Manager, "8s", "100ms", "15s",
        "How long the answer to a ping may take; less than 15s together with the interval",
        "a manager that is busy with a large message answers late");

    public static readonly TypedSetting<TimeSpan> ReconnectInterval = Time("reconnect-interval", SettingGroup.Manager, "500ms", "10ms", "1h",
        "Pause before the manager is called again, give or take 20 %, during the first minute after a loss",
        "a restarted CLI is found at once; the first pause of Genkit's own SDKs");

    public static readonly TypedSetting<TimeSpan> ReconnectMaxInterval = Time("reconnect-max-interval", SettingGroup.Manager, "5s", "10ms", "1h",
        "The pause after that minute",
        "the longest pause of Genkit's own SDKs");

    public static readonly TypedSetting<long> MaxMessageBytes = new()
    {
        Name = "max-message-bytes",
        EnvironmentVariable = Prefix + "MAX_MESSAGE_BYTES",
        Group = SettingGroup.Manager,
        Placeholder = "SIZE",
        Default = "90MiB",
        Description = "Largest message either way, to the manager and to the application",
        Reason = "the manager closes the connection at 100 MiB",
        Accepts = "1KiB to 99MiB, in bytes or with KiB or MiB",
        Parser = TypedSetting<long>.Single(ByteSize.Between(ByteSize.KiB, 99 * ByteSize.MiB)),
    };

    public static readonly TypedSetting<ApplicationAddress> App = new()
    {
        Name = "app",
        EnvironmentVariable = Prefix + "APP",
        Group = SettingGroup.Application,
        Placeholder = "ADDRESS",
        Default = "http://127.0.0.1:50051",
        Description = "gRPC address of the application; `run -- command` without it takes a free port and says which in GENKIT_SIDECAR_LISTEN",
        Reason = "the port of gRPC's own examples",
        Accepts = "http://host:port, https://host:port or unix:/path",
        Parser = TypedSetting<ApplicationAddress>.Single(ApplicationAddress.Parse),
    };

    public static readonly TypedSetting<IReadOnlyList<AppHeader>> AppHeader = new()
    {
        Name = "app-header",
        EnvironmentVariable = Prefix + "APP_HEADER",
        Group = SettingGroup.Application,
        Placeholder = "\"NAME: VALUE\"",
        Description = "Metadata sent with every call to the application; may be repeated, in the variable one per line, in the file an array",
        Reason = "an application on the same machine needs no credentials",
        Accepts = "\"name: value\" with a legal gRPC metadata name that is not reserved; base64 as value of a -bin name",
        IsRepeatable = true,
        Parser = Configuration.AppHeader.ParseAll,
    };

    public static readonly TypedSetting<string?> AppAuthority = new()
    {
        Name = "app-authority",
        EnvironmentVariable = Prefix + "APP_AUTHORITY",
        Group = SettingGroup.Application,
        Placeholder = "HOST",
        Description = "Value of :authority, and the name that the application's certificate must have",
        Reason = "the address says it",
        Accepts = "host or host:port",
        Parser = TypedSetting<string?>.Single(text => Uri.TryCreate("http://" + text, UriKind.Absolute, out var uri)
            && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0 && !text.AsSpan().ContainsAny('/', '#', '?')
                ? Parsed<string?>.Good(text)
                : Parsed<string?>.Bad($"{WebAddress.Shown(text)} is not a host")),
    };

    public static readonly TypedSetting<string?> AppCa = Pem("app-ca", PemFile.Certificate,
        "Certificates that the application's certificate must come from, instead of the system's", "the system's are trusted");

    public static readonly TypedSetting<string?> AppCert = Pem("app-cert", PemFile.Certificate,
        "Certificate that the sidecar shows to the application; needs --app-key", "few applications ask for one");

    public static readonly TypedSetting<string?> AppKey = Pem("app-key", PemFile.PrivateKey,
        "Private key of --app-cert", "see --app-cert");

    public static readonly TypedSetting<TimeSpan> AppStartTimeout = Time("app-start-timeout", SettingGroup.Application, "20s", "0", "10m",
        "How long the first register waits for the application to answer",
        "the CLI gives up on a runtime after 30 s");

    public static readonly TypedSetting<TimeSpan> AppConnectTimeout = Time("app-connect-timeout", SettingGroup.Application, "5s", "10ms", "10m",
        "How long connecting to the application may take",
        "shorter than any deadline of a call, so that \"not reachable\" is told from \"slow\"");

    public static readonly TypedSetting<TimeSpan> AppCallTimeout = Time("app-call-timeout", SettingGroup.Application, "10s", "10ms", "30s",
        "Deadline of ListActions, ListValues, GetRuntimeInfo and Configure",
        "the manager gives up after 30 s");

    public static readonly TypedSetting<TimeSpan> AppKeepAliveTimeout = Time("app-keep-alive-timeout", SettingGroup.Application, "15s", "0", "10m",
        "Time without a byte from the application, while a call waits, after which its connection is closed; 0 for no limit",
        "a connection that died without notice is replaced soon. An application that stops at a breakpoint needs 0");

    public static readonly TypedSetting<TimeSpan> RunTimeout = Time("run-timeout", SettingGroup.Runs, "0", "0", "24h",
        "Deadline of a run; 0 for none",
        "only the application knows how long a run takes, and the manager waits without a limit");

    public static readonly TypedSetting<TimeSpan> RunGrace = Time("run-grace", SettingGroup.Runs, "60s", "0", "24h",
        "How long a run outlives the connection that asked for it",
        "a restarted CLI reconnects within that time");

    public static readonly TypedSetting<int> MaxConcurrentRuns = Count("max-concurrent-runs", SettingGroup.Runs, "256", 1, 65536,
        "Runs at a time; one more fails with RESOURCE_EXHAUSTED",
        "more than a batch or an evaluation starts, few enough to bound the memory");

    public static readonly TypedSetting<long> MaxInputQueueBytes = new()
    {
        Name = "max-input-queue-bytes",
        EnvironmentVariable = Prefix + "MAX_INPUT_QUEUE_BYTES",
        Group = SettingGroup.Runs,
        Placeholder = "SIZE",
        Default = "8MiB",
        Description = "Input of one bidirectional run that the application has not taken yet; past it the run fails with RESOURCE_EXHAUSTED",
        Reason = "the manager cannot be slowed down, and many runs share the memory",
        Accepts = "1KiB to 1024MiB, in bytes or with KiB or MiB",
        Parser = TypedSetting<long>.Single(ByteSize.Between(ByteSize.KiB, 1024 * ByteSize.MiB)),
    };

    public static readonly TypedSetting<HealthAddress> FlowServer = new()
    {
        Name = "flow-server",
        EnvironmentVariable = Variable("flow-server"),
        Group = SettingGroup.FlowServer,
        Placeholder = "ADDRESS",
        Default = "off",
        Description = "Where flows are served over HTTP, as Genkit's own flow servers do; beyond loopback it needs --flow-token",
        Reason = "the flow server is meant for production, so it is opened explicitly",
        Accepts = "host:port with the IP address of an interface, localhost or * as host, unix:/path, or off",
        Parser = TypedSetting<HealthAddress>.Single(HealthAddress.Parse),
    };

    public static readonly TypedSetting<string?> FlowPathPrefix = new()
    {
        Name = "flow-path-prefix",
        EnvironmentVariable = Variable("flow-path-prefix"),
        Group = SettingGroup.FlowServer,
        Placeholder = "PATH",
        DefaultNote = "none; the flow `greet` is at `/greet`",
        Description = "Path that is before the name of every flow",
        Reason = "Genkit's own flow servers have none",
        Accepts = "a path such as /api/flows, with a slash before it and none after",

        // Dots as segments are resolved in what is asked for, so that nothing is asked for below them.
        Parser = TypedSetting<string?>.Single(text => text.Length > 1 && text[0] == '/' && text[^1] != '/' && text.All(c => c is > ' ' and <= '~' and not ('?' or '#' or '%'))
            && !text.Split('/').Any(segment => segment is "." or "..")
            ? Parsed<string?>.Good(text)
            : Parsed<string?>.Bad($"{QuotedText.Text(text)} is not such a path")),
    };

    public static readonly TypedSetting<IReadOnlyList<string>> FlowActions = new()
    {
        Name = "flow-actions",
        EnvironmentVariable = Variable("flow-actions"),
        Group = SettingGroup.FlowServer,
        Placeholder = "GLOB",
        Default = "/flow/*",
        Description = "Keys of the actions that are served, where * is anything; other actions than flows are at their key, such as `/model/echo`. May be repeated, in the variable one per line, in the file an array",
        Reason = "flows are made to be called; models and tools are their parts",
        Accepts = "globs that begin with a slash, such as /flow/public-*",
        IsRepeatable = true,
        Parser = Globs,
    };

    public static readonly TypedSetting<BearerToken?> FlowToken = new()
    {
        Name = "flow-token",
        EnvironmentVariable = Variable("flow-token"),
        Group = SettingGroup.FlowServer,
        Placeholder = "TOKEN",
        DefaultNote = "none; this machine alone may call",
        Description = "Bearer token that every caller of a flow must show",
        Reason = "a run costs money, so access from other machines needs a credential",
        Accepts = "visible ASCII characters without spaces",
        Parser = TypedSetting<BearerToken?>.Single(BearerToken.Parse),
    };

    public static readonly TypedSetting<IReadOnlyList<ContextHeader>> FlowContext = new()
    {
        Name = "flow-context",
        EnvironmentVariable = Variable("flow-context"),
        Group = SettingGroup.FlowServer,
        Placeholder = "MEMBER=HEADER",
        Description = "Member of a run's context that a request header gives, such as auth.uid=X-User-Id; callers must not be able to forge it. May be repeated, in the variable one per line, in the file an array",
        Reason = "only the operator knows which headers a proxy has checked",
        Accepts = "MEMBER=HEADER, with dots between members that are in each other",
        IsRepeatable = true,
        Parser = ContextHeader.ParseAll,
    };

    public static readonly TypedSetting<IReadOnlyList<string>> FlowCorsOrigin = new()
    {
        Name = "flow-cors-origin",
        EnvironmentVariable = Variable("flow-cors-origin"),
        Group = SettingGroup.FlowServer,
        Placeholder = "ORIGIN",
        Description = "Web origin whose pages may call flows, or * for all; others are refused. May be repeated, in the variable one per line, in the file an array",
        Reason = "flows are called by servers; a page's visitors would share the token",
        Accepts = "scheme://host or scheme://host:port in lower case, without a path, or *",
        IsRepeatable = true,
        Parser = Origins,
    };

    public static readonly TypedSetting<long> FlowMaxBodyBytes = new()
    {
        Name = "flow-max-body-bytes",
        EnvironmentVariable = Variable("flow-max-body-bytes"),
        Group = SettingGroup.FlowServer,
        Placeholder = "SIZE",
        Default = "1MiB",
        Description = "Largest body of a request; a larger one is answered with 413",
        Reason = "room for a long conversation; images need more",
        Accepts = "1KiB to 90MiB, in bytes or with KiB or MiB",
        Parser = TypedSetting<long>.Single(ByteSize.Between(ByteSize.KiB, 90 * ByteSize.MiB)),
    };

    public static readonly TypedSetting<TimeSpan> FlowTimeout = Time("flow-timeout", SettingGroup.FlowServer, "2m", "0", "24h",
        "How long a request may take, from its headers to its result; then the run is cancelled and fails with DEADLINE_EXCEEDED. 0 for no limit",
        "models that think take a minute; those who wait longer have gone");

    public static readonly TypedSetting<int> FlowRateLimit = Count("flow-rate-limit", SettingGroup.FlowServer, "50", 0, 1_000_000,
        "Requests a second that one client address, or IPv6 /64 network, may make; one more is answered with 429 and Retry-After. 0 for no limit",
        "more than people do, less than a loop that went wrong; behind a proxy --flow-client-header tells clients apart");

    public static readonly TypedSetting<string?> FlowClientHeader = new()
    {
        Name = "flow-client-header",
        EnvironmentVariable = Variable("flow-client-header"),
        Group = SettingGroup.FlowServer,
        Placeholder = "NAME",
        DefaultNote = "none; the address that connects",
        Description = "Header such as X-Forwarded-For, in which a proxy names the client that --flow-rate-limit counts; the last address in it, which is the proxy's own word",
        Reason = "without a proxy any client could name another",
        Accepts = "the name of a header",
        Parser = TypedSetting<string?>.Single(text => ContextHeader.IsName(text)
            ? Parsed<string?>.Good(text)
            : Parsed<string?>.Bad($"{QuotedText.Text(text)} is no header's name")),
    };

    public static readonly TypedSetting<int> FlowRateBurst = Count("flow-rate-burst", SettingGroup.FlowServer, "100", 1, 1_000_000,
        "Requests that such a client may make at once, after a pause",
        "two seconds' worth");

    public static readonly TypedSetting<int> FlowMaxConcurrent = Count("flow-max-concurrent", SettingGroup.FlowServer, "128", 1, 65536,
        "Requests that are under way at a time; one more is answered with 503 and Retry-After",
        "half of --max-concurrent-runs, so that flow requests leave room for the other endpoints");

    public static readonly TypedSetting<bool> FlowCompression = new()
    {
        Name = "flow-compression",
        EnvironmentVariable = Variable("flow-compression"),
        Group = SettingGroup.FlowServer,
        Placeholder = "BOOL",
        Default = "true",
        Description = "Whether results from 1 KiB on are compressed with Brotli or gzip for clients that take it; streams never are",
        Reason = "JSON shrinks to a fifth, for less time than the network takes",
        Accepts = "true or false",
        Parser = TypedSetting<bool>.Single(Choice.Flag),
    };

    public static readonly TypedSetting<TelemetryAddress?> TelemetryServer = new()
    {
        Name = "telemetry-server",
        EnvironmentVariable = "GENKIT_TELEMETRY_SERVER",
        Group = SettingGroup.Telemetry,
        Placeholder = "URL",
        DefaultNote = "the one that the manager names",
        Description = "Genkit's telemetry server, which gets a trace of each run; `off` for none",
        Reason = "the Genkit CLI sets the variable for the command it starts, and tells every other runtime when it registers",
        Accepts = "http://host:port, https://host:port or off",
        Parser = TypedSetting<TelemetryAddress?>.Single(TelemetryAddress.Parse!),
    };

    public static readonly TypedSetting<IReadOnlyList<string>> TelemetryAllowHost = new()
    {
        Name = "telemetry-allow-host",
        EnvironmentVariable = Variable("telemetry-allow-host"),
        Group = SettingGroup.Telemetry,
        Placeholder = "HOST",
        DefaultNote = "none but the manager's own",
        Description = "Host on which the manager may name a telemetry server; may be repeated, in the variable one per line, in the file an array",
        Reason = "traces hold inputs and outputs, and must not go wherever a peer says",
        Accepts = "host names or IP addresses, without port",
        IsRepeatable = true,
        Parser = Hosts,
    };

    public static readonly TypedSetting<bool> RealtimeTelemetry = new()
    {
        Name = "telemetry-realtime",
        EnvironmentVariable = "GENKIT_ENABLE_REALTIME_TELEMETRY",
        Group = SettingGroup.Telemetry,
        Placeholder = "BOOL",
        Default = "false",
        Description = "Whether a run is in the Dev UI's traces from its start, not only from its end; the variable counts in `dev` alone",
        Reason = "the Genkit CLI sets the variable for the command it starts; other uses read traces after the run",
        Accepts = "true or false",
        Parser = TypedSetting<bool>.Single(Choice.Flag),
    };

    public static readonly TypedSetting<TimeSpan> TelemetryWait = Time("telemetry-wait", SettingGroup.Telemetry, "2s", "0", "1m",
        "How long a run's answer waits for its trace to be readable, 500ms of it if the run was cancelled; 0 to not wait. A server that takes longer is not waited for until it is quick again",
        "tools read the trace as soon as they have the answer; people do not wait longer for one");

    public static readonly TypedSetting<TimeSpan> TelemetryTimeout = Time("telemetry-timeout", SettingGroup.Telemetry, "10s", "100ms", "10m",
        "How long the telemetry server may take for one span, which is then sent again, three times in all",
        "it writes large spans to its disk before it answers");

    public static readonly TypedSetting<long> TelemetryMaxSpanBytes = new()
    {
        Name = "telemetry-max-span-bytes",
        EnvironmentVariable = Variable("telemetry-max-span-bytes"),
        Group = SettingGroup.Telemetry,
        Placeholder = "SIZE",
        Default = "16MiB",
        Description = "Largest span; an input or output that does not fit is left out of the trace, with a note of its size",
        Reason = "the telemetry server takes up to 100 MiB, and is busy with nothing else meanwhile",
        Accepts = "1MiB to 95MiB, in bytes or with KiB or MiB",
        Parser = TypedSetting<long>.Single(ByteSize.Between(ByteSize.MiB, 95 * ByteSize.MiB)),
    };

    public static readonly TypedSetting<long> TelemetryMaxQueueBytes = new()
    {
        Name = "telemetry-max-queue-bytes",
        EnvironmentVariable = Variable("telemetry-max-queue-bytes"),
        Group = SettingGroup.Telemetry,
        Placeholder = "SIZE",
        Default = "64MiB",
        Description = "Memory of spans, those of active runs and those that wait for the telemetry server, 4KiB at least for each; past it they are lost",
        Reason = "a few of the largest, or 16384 small ones while the CLI restarts",
        Accepts = "64KiB to 1024MiB, in bytes or with KiB or MiB",
        Parser = TypedSetting<long>.Single(ByteSize.Between(64 * ByteSize.KiB, 1024 * ByteSize.MiB)),
    };

    public static readonly TypedSetting<OtlpAddress> OtlpGrpc = Otlp("otlp-grpc", "127.0.0.1:4317", "gRPC");

    public static readonly TypedSetting<OtlpAddress> OtlpHttp = Otlp("otlp-http", "127.0.0.1:4318", "HTTP");

    public static readonly TypedSetting<BearerToken?> OtlpToken = new()
    {
        Name = "otlp-token",
        EnvironmentVariable = Variable("otlp-token"),
        Group = SettingGroup.Telemetry,
        Placeholder = "TOKEN",
        DefaultNote = "none; OTLP is taken on loopback addresses alone",
        Description = "Bearer token that every sender of OTLP must present; the command of `run -- command` receives it",
        Reason = "who may write into traces is not for every neighbour",
        Accepts = "visible ASCII characters without spaces",
        Parser = TypedSetting<BearerToken?>.Single(BearerToken.Parse),
    };

    public static readonly TypedSetting<string?> OtlpAdvertise = new()
    {
        Name = "otlp-advertise",
        EnvironmentVariable = Variable("otlp-advertise"),
        Group = SettingGroup.Telemetry,
        Placeholder = "HOST",
        DefaultNote = "the address that is listened at",
        Description = "Host at which the application reaches the sidecar's OTLP listeners, which it is told with their ports",
        Reason = "only an application in another container or on another machine needs another name",
        Accepts = "a host name or an IP address, without port",
        Parser = TypedSetting<string?>.Single(text => Uri.CheckHostName(text) == UriHostNameType.Unknown
            ? Parsed<string?>.Bad($"{QuotedText.Text(text)} is not a host")
            : Parsed<string?>.Good(text)),
    };

    public static readonly TypedSetting<long> OtlpMaxRequestBytes = new()
    {
        Name = "otlp-max-request-bytes",
        EnvironmentVariable = Variable("otlp-max-request-bytes"),
        Group = SettingGroup.Telemetry,
        Placeholder = "SIZE",
        Default = "16MiB",
        Description = "Largest OTLP request, as it is sent and after decompression; a larger one is refused",
        Reason = "a batch of 512 spans with 32 KiB each, which is how many an SDK sends at a time",
        Accepts = "64KiB to 256MiB, in bytes or with KiB or MiB",
        Parser = TypedSetting<long>.Single(ByteSize.Between(64 * ByteSize.KiB, 256 * ByteSize.MiB)),
    };

    public static readonly TypedSetting<HealthAddress> Health = new()
    {
        Name = "health",
        EnvironmentVariable = Variable("health"),
        Group = SettingGroup.Process,
        Placeholder = "ADDRESS",
        Default = "127.0.0.1:9466",
        Description = "Where /healthz, /readyz, /startupz and /metrics are served, and where `health` asks; `off` for nowhere",
        Reason = "health is for this machine; a second sidecar that finds the default taken runs without the endpoint",
        Accepts = $"{BindAddress.Accepts}, unix:/path, or off",
        Parser = TypedSetting<HealthAddress>.Single(HealthAddress.Parse),
    };

    public static readonly TypedSetting<BearerToken?> MetricsToken = new()
    {
        Name = "metrics-token",
        EnvironmentVariable = Variable("metrics-token"),
        Group = SettingGroup.Process,
        Placeholder = "TOKEN",
        DefaultNote = "none; /metrics answers this machine alone",
        Description = "Bearer token that opens /metrics to other machines; probes and this machine need none",
        Reason = "who calls what, and how often, is not for every neighbour",
        Accepts = "visible ASCII characters without spaces",
        Parser = TypedSetting<BearerToken?>.Single(BearerToken.Parse),
    };

    public static readonly TypedSetting<TimeSpan> StopTimeout = Time("stop-timeout", SettingGroup.Process, "3s", "0", "10m",
        "How long a stopped command may take to end before it is killed",
        "the sidecar itself then ends within 5 s, half of what container runtimes give it");

    public static readonly TypedSetting<TimeSpan> DrainTimeout = Time("drain-timeout", SettingGroup.Process, "3s", "0", "10m",
        "How long active runs may go on after the sidecar was asked to stop; then they are cancelled, and new ones fail with UNAVAILABLE from the start",
        "with a second for the last answers, the sidecar ends within 5 s");

    public static readonly TypedSetting<LogLevel> LogLevel = new()
    {
        Name = "log-level",
        EnvironmentVariable = Prefix + "LOG_LEVEL",
        Group = SettingGroup.Process,
        Placeholder = "LEVEL",
        Default = "information",
        Description = "Least level that is logged, to stderr; payloads and credentials are at none",
        Reason = "connects, disconnects and what needs attention",
        Accepts = "trace, debug, information, warning, error, critical or none",
        Parser = TypedSetting<LogLevel>.Single(Choice.LogLevelNamed),
    };

    public static readonly TypedSetting<LogFormat> LogFormat = new()
    {
        Name = "log-format",
        EnvironmentVariable = Prefix + "LOG_FORMAT",
        Group = SettingGroup.Process,
        Placeholder = "FORMAT",
        Default = "text",
        Description = "How a log line looks",
        Reason = "the sidecar is started at a terminal first",
        Accepts = "text or json",
        Parser = TypedSetting<LogFormat>.Single(Choice.LogFormatNamed),
    };

    /// <summary>In the order of the help and of docs/settings.md.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        GenkitEnv, ReflectionV1, ReflectionV1AllowHost, ProjectRoot,
        Manager, EnvFile, Name, RuntimeId, RegisterTimeout, KeepAliveInterval, KeepAliveTimeout, ReconnectInterval, ReconnectMaxInterval,
        MaxMessageBytes,
        App, AppHeader, AppAuthority, AppCa, AppCert, AppKey, AppStartTimeout, AppConnectTimeout, AppCallTimeout, AppKeepAliveTimeout,
        RunTimeout, RunGrace, MaxConcurrentRuns, MaxInputQueueBytes,
        FlowServer, FlowPathPrefix, FlowActions, FlowToken, FlowContext, FlowCorsOrigin,
        FlowMaxBodyBytes, FlowTimeout, FlowRateLimit, FlowClientHeader, FlowRateBurst, FlowMaxConcurrent, FlowCompression,
        TelemetryServer, TelemetryAllowHost, RealtimeTelemetry, TelemetryWait, TelemetryTimeout, TelemetryMaxSpanBytes, TelemetryMaxQueueBytes,
        OtlpGrpc, OtlpHttp, OtlpToken, OtlpAdvertise, OtlpMaxRequestBytes,
        Config, Health, MetricsToken, StopTimeout, DrainTimeout, LogLevel, LogFormat,
    ];

    private static string Variable(string name) => Prefix + name.ToUpperInvariant().Replace('-', '_');

    private static Func<IReadOnlyList<string>, Parsed<string?>> Text() => TypedSetting<string?>.Single(text => text.Any(char.IsControl)
        ? Parsed<string?>.Bad($"{QuotedText.Text(text)} has control characters")
        : Parsed<string?>.Good(text));

    private static Parsed<IReadOnlyList<string>> Globs(IReadOnlyList<string> texts) =>
        texts.FirstOrDefault(text => !text.StartsWith('/') || text.Any(char.IsControl)) is { } wrong
            ? Parsed<IReadOnlyList<string>>.Bad($"{QuotedText.Text(wrong)} does not begin like a key")
            // The matcher would take ? for any character, and has no way to mean it.
            : texts.FirstOrDefault(text => text.AsSpan().ContainsAny('?', '\\')) is { } odd
            ? Parsed<IReadOnlyList<string>>.Bad($"{QuotedText.Text(odd)} has a ? or a backslash, for which only * can stand")
            : Parsed<IReadOnlyList<string>>.Good(texts);

    // As a browser writes it, since that is what it is compared with.
    private static Parsed<IReadOnlyList<string>> Origins(IReadOnlyList<string> texts) =>
        texts.FirstOrDefault(text => text != "*" && !(Uri.TryCreate(text, UriKind.Absolute, out var uri) && $"{uri.Scheme}://{uri.Authority}" == text)) is { } wrong
            ? Parsed<IReadOnlyList<string>>.Bad($"{WebAddress.Shown(wrong)} is not an origin")
            : Parsed<IReadOnlyList<string>>.Good(texts);

    private static Parsed<IReadOnlyList<string>> Hosts(IReadOnlyList<string> texts) =>
        texts.FirstOrDefault(text => Uri.CheckHostName(text) == UriHostNameType.Unknown) is { } wrong
            ? Parsed<IReadOnlyList<string>>.Bad($"{QuotedText.Text(wrong)} is not a host")
            : Parsed<IReadOnlyList<string>>.Good(texts);

    private static TypedSetting<TimeSpan> Time(
        string name, SettingGroup group, string byDefault, string least, string most, string description, string reason) => new()
        {
            Name = name,
            EnvironmentVariable = Variable(name),
            Group = group,
            Placeholder = "TIME",
            Default = byDefault,
            Description = description,
            Reason = reason,
            Accepts = Duration.Accepts(least, most),
            Parser = TypedSetting<TimeSpan>.Single(Duration.Between(least, most)),
        };

    private static TypedSetting<OtlpAddress> Otlp(string name, string byDefault, string protocol) => new()
    {
        Name = name,
        EnvironmentVariable = Variable(name),
        Group = SettingGroup.Telemetry,
        Placeholder = "ADDRESS",
        Default = byDefault,
        Description = $"Where the application's own spans and logs are taken by OTLP over {protocol}; `off` for nowhere. `run -- command` without it takes a free port and tells the command",
        Reason = "OpenTelemetry's own; nothing is taken if --telemetry-server is off",
        Accepts = $"{BindAddress.Accepts}, or off",
        Parser = TypedSetting<OtlpAddress>.Single(OtlpAddress.Parse),
    };
    private static TypedSetting<int> Count(
        string name, SettingGroup group, string byDefault, int least, int most, string description, string reason) => new()
        {
            Name = name,
            EnvironmentVariable = Variable(name),
            Group = group,
            Placeholder = "COUNT",
            Default = byDefault,
            Description = description,
            Reason = reason,
            Accepts = string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"),
            Parser = TypedSetting<int>.Single(text =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= least && count <= most
                    ? Parsed<int>.Good(count)
                    : Parsed<int>.Bad($"{QuotedText.Text(text)} is not such a number")),
        };

    private static TypedSetting<string?> Pem(string name, Func<string, Parsed<string?>> check, string description, string reason) => new()
    {
        Name = name,
        EnvironmentVariable = Variable(name),
        Group = SettingGroup.Application,
        Placeholder = "FILE",
        Description = description,
        Reason = reason,
        Accepts = "a readable PEM file",
        Parser = TypedSetting<string?>.Single(check),
    };
}
