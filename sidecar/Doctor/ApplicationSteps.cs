using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Doctor;

/// <summary>The way to the application: name, connection, gRPC, its actions, a run, a large input.</summary>
/// <param name="steps">Takes the steps.</param>
/// <param name="settings">What <c>run</c> would have.</param>
/// <param name="wrong">Settings that have their defaults only because what was given is wrong.</param>
/// <param name="surroundings">Where this process runs.</param>
/// <param name="action">What to run; null for a key that no application has.</param>
/// <param name="logs">Where the sidecar's parts log to.</param>
internal sealed class ApplicationSteps(
    StepSequence steps,
    SidecarSettings settings,
    IReadOnlySet<Setting> wrong,
    Surroundings surroundings,
    ActionToRun? action,
    ILoggerFactory logs)
{
    /// <summary>A key that no application has: its NOT_FOUND proves the way, and nothing is run.</summary>
    public const string NobodysKey = "/doctor/genkit-sidecar";

    private const int MaxKeysShown = 5;

    // Enough over the limit for all that surrounds an input in its message not to matter.
    private const int LargeInputBytes = ReceiveLimit.StockBytes + (64 * 1024);

    private static readonly Setting[] s_channelSettings =
        [SettingTable.AppCa, SettingTable.AppCert, SettingTable.AppKey, SettingTable.AppAuthority, SettingTable.AppHeader];

    private readonly SidecarSettings _settings = settings with
    {
        AppConnectTimeout = Limits.Least(settings.AppConnectTimeout, Limits.Connect),
        AppCallTimeout = Limits.Least(settings.AppCallTimeout, Limits.Call),
    };

    private readonly ApplicationAddress _address = settings.App;
    private GrpcStatusCode _smallRun = GrpcStatusCode.NotFound;

    /// <summary>The application's end, as sockets name it.</summary>
    public EndPoint EndPoint => _address.SocketPath is { } path
        ? new UnixDomainSocketEndPoint(path)
        : new DnsEndPoint(Host.IdnHost, Host.Port);

    private Uri Host => new(_address.Text);

    public async Task ExamineAsync(CancellationToken stop)
    {
        if (_address.SocketPath is null)
        {
            await steps.ExamineAsync(StepName.ApplicationDns, $"looking up {Host.IdnHost}", Limits.LookUp, LookUpAsync, UnknownHost(), stop);
        }

        await steps.ExamineAsync(StepName.ApplicationConnect, $"connecting to {_address}", _settings.AppConnectTimeout, ConnectAsync, Unreachable(), stop);
        if (Array.Find(s_channelSettings, wrong.Contains) is { } setting)
        {
            steps.Block($"{setting.Flag} is wrong");
        }

        await steps.ExamineAsync(
            StepName.ApplicationGrpc,
            _address.IsTls ? $"HTTP/2 over TLS with {_address}" : $"HTTP/2 without TLS with {_address}",
            _settings.AppConnectTimeout + _settings.AppConnectTimeout + Limits.Slack,
            GreetAsync,
            Silent(),
            stop);

        // Made only here: a certificate that is none would fail, and the step before says so.
        await using var application = steps.Obstacle is not null
            ? null
            : new GrpcApplication(ApplicationChannel.Options(_settings with { RunTimeout = Limits.Call }, TimeProvider.System), logs.CreateLogger<GrpcApplication>());
        using var meter = SidecarMeter.Create();
        var runs = application is null
            ? null
            : new ActiveRuns(application, RunLimits.From(_settings), new RunMetrics(meter), TimeProvider.System, logs.CreateLogger<ActiveRuns>());
        await steps.ExamineAsync(
            StepName.ListActions, "asking for the actions", _settings.AppCallTimeout + Limits.Slack, token => ListAsync(application!, token), Silent(), stop);
        await steps.ExamineAsync(
            StepName.Run, $"running {action?.Key ?? $"{NobodysKey}, which nobody has"}", Limits.Call + Limits.Slack, token => RunAsync(runs!, token), Silent(), stop);
        await steps.ExamineAsync(
            StepName.LargeInput, $"the same for {NobodysKey} with an input of {LargeInputBytes} bytes", Limits.Call + Limits.Slack, token => RunLargeAsync(runs!, token), Silent(), stop);
    }

    private async Task<Finding> LookUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Finding.Ok(await Dial.LookUpAsync(Host.IdnHost, cancellationToken));
        }
        catch (SocketException exception)
        {
            return Finding.Failed($"the name cannot be looked up: {exception.Message}", UnknownHost());
        }
    }

    private async Task<Finding> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Finding.Ok(await Dial.ConnectAsync(EndPoint, cancellationToken));
        }
        catch (SocketException exception)
        {
            return _address.SocketPath is { } path ? SocketTrap.Of(path, exception) : Refused(exception);
        }
    }

    private Finding Refused(SocketException exception)
    {
        if (exception.SocketErrorCode != SocketError.ConnectionRefused)
        {
            return Finding.Failed($"no connection: {exception.Message}", Unreachable());
        }

        if (!Host.IsLoopback)
        {
            return Finding.Failed(
                $"connection refused: {Host.IdnHost} is there, but nothing listens at port {Host.Port} of that address. Does the application listen on its own loopback (127.0.0.1) only?",
                $"Let the application listen on `0.0.0.0:{Host.Port}`, not on 127.0.0.1",
                "`--app` with the port that it serves gRPC on",
                "Or let the sidecar share its network, as containers of one pod do, or with `network_mode: \"service:NAME\"`");
        }

        return Finding.Failed(
            surroundings.IsContainer
                ? "connection refused: nothing listens there. This is a container, whose loopback is its own: an application in another one is not there"
                : "connection refused: nothing listens there",
            [
                $"Start the application on {_address}, or name its address with `--app` ({SettingTable.App.EnvironmentVariable})",
                .. surroundings.IsContainer
                    ? [$"For an application in another container `--app http://NAME:{Host.Port}`, where NAME is its Compose service or Kubernetes Service, and let it listen on `0.0.0.0:{Host.Port}`"]
                    : Array.Empty<string>(),
                "Let the sidecar start it: `genkit-sidecar doctor -- COMMAND`",
            ]);
    }

    /// <summary>One call that every application may leave unimplemented, for the connection under it.</summary>
    private async Task<Finding> GreetAsync(CancellationToken cancellationToken)
    {
        GrpcChannelOptions options;
        try
        {
            options = ApplicationChannel.Options(_settings, TimeProvider.System).Channel;
        }
        catch (CryptographicException exception)
        {
            return Finding.Failed($"a certificate cannot be used: {exception.Message}", "`--app-ca`, `--app-cert` and `--app-key` with files in PEM form that belong together");
        }

        var (isConnected, status) = await CallAsync(options, cancellationToken);
        if (isConnected)
        {
            return Finding.Ok("it speaks HTTP/2");
        }

        if (status.ConnectFailure == GrpcConnectFailure.None)
        {
            return Finding.Failed($"it accepts connections and says nothing: {status.Message}", Silent());
        }

        return Finding.Failed(status.Message, await RemediesAsync(options, status.ConnectFailure, cancellationToken));
    }

    private async Task<(bool IsConnected, GrpcStatus Status)> CallAsync(GrpcChannelOptions options, CancellationToken cancellationToken)
    {
        var isConnected = false;
        using var channel = new GrpcChannel(options);
        channel.ConnectionEstablished += () => Volatile.Write(ref isConnected, true);
        var call = new GrpcCallOptions { Deadline = _settings.AppConnectTimeout };
        using var result = await channel.UnaryAsync($"/{GrpcApplication.Service}/GetRuntimeInfo", default, call, cancellationToken);

        // The news of a connection may come after the answer that came over it.
        var hasAnswered = result.Status.Code is not (GrpcStatusCode.Unavailable or GrpcStatusCode.DeadlineExceeded);
        return (hasAnswered || Volatile.Read(ref isConnected), result.Status);
    }

    private async Task<IReadOnlyList<string>> RemediesAsync(GrpcChannelOptions options, GrpcConnectFailure failure, CancellationToken cancellationToken)
    {
        switch (failure)
        {
            case GrpcConnectFailure.PlaintextToTlsPeer when _address.SocketPath is not null:
                return ["Let the application serve its socket without TLS"];
            case GrpcConnectFailure.PlaintextToTlsPeer:
                return WithTls();
            case GrpcConnectFailure.TlsToPlaintextPeer:
                return WithoutTls();
            case GrpcConnectFailure.NotHttp2:
                return
                [
                    "`--app` with the port that the application serves gRPC on; this one is another server's, such as its web server",
                    "Where one port serves both, let it take HTTP/2 without TLS (h2c)",
                ];
            case GrpcConnectFailure.CertificateNotTrusted:
                return ["`--app-ca FILE` with the certificate authority of the application's certificate"];
            case GrpcConnectFailure.CertificateForOtherName:
                return ["`--app-authority HOST` with a name that the certificate is for"];
            case GrpcConnectFailure.Closed or GrpcConnectFailure.TlsFailed when _address.SocketPath is null && await SpeaksOtherwiseAsync(options, cancellationToken):
                return _address.IsTls ? WithoutTls() : WithTls();
            case GrpcConnectFailure.TlsFailed:
                return ["`--app-cert FILE` and `--app-key FILE`, should it want a certificate of the sidecar", .. WithoutTls()];
            default:
                return ["`--app` with the port that the application serves gRPC on", "Look into the application's log: it closed the connection"];
        }
    }

    /// <summary>Whether the peer does with TLS, or does without it, what it did not do as the settings have it: many servers just hang up.</summary>
    private async Task<bool> SpeaksOtherwiseAsync(GrpcChannelOptions options, CancellationToken cancellationToken)
    {
        var other = new GrpcChannelOptions
        {
            Target = GrpcTarget.Parse(Other),
            CertificateAuthorities = options.CertificateAuthorities,
            ConnectTimeout = options.ConnectTimeout,
        };
        var (isConnected, status) = await CallAsync(other, cancellationToken);
        return isConnected || status.ConnectFailure is GrpcConnectFailure.CertificateNotTrusted or GrpcConnectFailure.CertificateForOtherName;
    }

    private string Other => $"{(_address.IsTls ? "http" : "https")}://{Host.Authority}";

    private IReadOnlyList<string> WithTls() =>
        [$"`--app {Other}`, which says that it speaks TLS", "`--app-ca FILE` beside it, where the certificate comes from a private authority"];

    private IReadOnlyList<string> WithoutTls() =>
        [$"`--app {Other}`, which says that it speaks no TLS"];

    private async Task<Finding> ListAsync(GrpcApplication application, CancellationToken cancellationToken)
    {
        var answer = await application.ListActionsAsync(cancellationToken);
        if (answer.Value is not { } listed)
        {
            return Failed(answer.Failure!);
        }

        if (listed.Omissions.Count > 0)
        {
            return Finding.Warning(
                $"{Listed(listed)}; left out, for the manager would refuse them: {string.Join("; ", listed.Omissions)}",
                "Correct them in what the application answers to ListActions, as it says there");
        }

        return listed.Actions.Count == 0
            ? Finding.Warning("it lists no actions, so the Dev UI will show none", "Answer `ListActions` with the application's actions: see proto/README.md")
            : Finding.Ok(Listed(listed));
    }

    private static string Listed(ListedActions listed) =>
        $"{listed.Actions.Count} {(listed.Actions.Count == 1 ? "action" : "actions")}" +
        (listed.Actions.Count == 0 ? "" : $": {string.Join(", ", listed.Actions.Take(MaxKeysShown).Select(row => row.Key))}{(listed.Actions.Count > MaxKeysShown ? ", …" : "")}");

    private async Task<Finding> RunAsync(ActiveRuns runs, CancellationToken cancellationToken)
    {
        var run = new TrialRun(runs);
        var failure = await run.ExecuteAsync(action?.Key ?? NobodysKey, action?.Input, cancellationToken);
        _smallRun = failure?.Code ?? GrpcStatusCode.OK;
        if (action is not null)
        {
            return failure is null
                ? Finding.Ok($"it succeeded: {run.Chunks} chunks and a result of {run.ResultBytes ?? 0} bytes")
                : Failed(failure, $"`genkit-sidecar call {action.Key} JSON` runs it alone, without a deadline and with all that it says");
        }

        return failure?.Code switch
        {
            GrpcStatusCode.NotFound => Finding.Ok("NOT_FOUND, as it should be: the way is open"),
            null => Finding.Warning("it succeeded, though there is no such action", "Let `RunAction` end with NOT_FOUND for a key that the application does not know"),
            GrpcStatusCode.Unimplemented or GrpcStatusCode.Unavailable or GrpcStatusCode.DeadlineExceeded or GrpcStatusCode.Unauthenticated or GrpcStatusCode.PermissionDenied =>
                Failed(failure),
            _ => Finding.Warning(
                $"{Said(failure)}, where NOT_FOUND was expected; the way is open",
                "Let `RunAction` end with NOT_FOUND for a key that the application does not know: see proto/README.md"),
        };
    }

    private async Task<Finding> RunLargeAsync(ActiveRuns runs, CancellationToken cancellationToken)
    {
        if (_settings.MaxMessageBytes < LargeInputBytes)
        {
            return Finding.Skipped($"`--max-message-bytes` is {_settings.MaxMessageBytes}: no such input gets as far as the application");
        }

        var input = new byte[LargeInputBytes];
        input.AsSpan().Fill((byte)'x');
        (input[0], input[^1]) = ((byte)'"', (byte)'"');
        var failure = await new TrialRun(runs).ExecuteAsync(NobodysKey, input, cancellationToken);
        return failure?.Code switch
        {
            // grpc-java cancels the call instead.
            GrpcStatusCode.ResourceExhausted or GrpcStatusCode.Cancelled =>
                Finding.Warning($"{Said(failure)}: the application takes no input that large", ReceiveLimit.HowToRaise),
            GrpcStatusCode.Unavailable or GrpcStatusCode.DeadlineExceeded or GrpcStatusCode.Internal when failure.Code != _smallRun => Failed(failure),
            _ => Finding.Ok("the application took it"),
        };
    }

    private Finding Failed(ActionFailure failure, params IReadOnlyList<string> more) => Finding.Failed(
        Said(failure),
        [
            .. failure.Code switch
            {
                GrpcStatusCode.Unimplemented =>
                    [$"Register a {GrpcApplication.Service} with the server, as proto/README.md tells", "Or `--app` with the address of the application that has one"],
                GrpcStatusCode.Unauthenticated or GrpcStatusCode.PermissionDenied =>
                    [$"`--app-header \"authorization: Bearer …\"`, better in the variable {SettingTable.AppHeader.EnvironmentVariable}"],
                GrpcStatusCode.DeadlineExceeded => Silent(),
                GrpcStatusCode.ResourceExhausted => ["`--max-message-bytes SIZE`, should it be the sidecar's limit"],
                _ when more.Count > 0 => [],
                _ => ["Look into the application's log", $"`genkit-sidecar actions --app {_address}` asks it again"],
            },
            .. more,
        ]);

    private static string Said(ActionFailure failure) => $"{GrpcStatusName.Of(failure.Code)}: {failure.Message}";

    private IReadOnlyList<string> UnknownHost() =>
    [
        surroundings.IsContainer
            ? "`--app http://NAME:PORT`, where NAME is a Compose service in a network of this container, a Kubernetes Service, or `127.0.0.1` where the network is shared"
            : "`--app http://127.0.0.1:PORT` for an application on this machine",
    ];

    private IReadOnlyList<string> Unreachable() =>
    [
        .. surroundings.Proxy is { } proxy && _address.SocketPath is null && !Host.IsLoopback ? [$"{proxy} is set, but the sidecar uses no proxy: it must reach `--app` straight"] : Array.Empty<string>(),
        "Let firewalls and network policies pass that port",
        "`--app` with the address that the application has",
    ];

    private IReadOnlyList<string> Silent() =>
    [
        "See whether the application hangs, in a debugger or in its own start, and end what holds it up",
        "`--app` with the port that it serves gRPC on, should this be another one",
        $"`{SettingTable.AppCallTimeout.Flag} TIME`, should it only be slow: it has {_settings.AppCallTimeout.TotalSeconds:0.#} s here",
    ];
}
