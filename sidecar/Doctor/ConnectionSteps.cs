using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.GrpcClient;
using Grpc.Core;

namespace Genkit.Sidecar.Doctor;

/// <summary>The way to the application: name, connection, gRPC.</summary>
/// <param name="steps">Takes the steps.</param>
/// <param name="settings">What <c>run</c> would have, with the doctor's own time limits.</param>
/// <param name="wrong">Settings that have their defaults only because what was given is wrong.</param>
/// <param name="surroundings">Where this process runs.</param>
/// <param name="logger">Where the channel to the application logs to.</param>
internal sealed class ConnectionSteps(StepSequence steps, ApplicationSettings settings, LimitSettings limits, IReadOnlySet<Setting> wrong, Surroundings surroundings, ILogger logger)
{
    private static readonly Setting[] s_channelSettings =
        [ApplicationSettingTable.AppCa, ApplicationSettingTable.AppCert, ApplicationSettingTable.AppKey, ApplicationSettingTable.AppAuthority, ApplicationSettingTable.AppHeader];

    private readonly ApplicationAddress _address = settings.Address;

    private Uri Host => new(_address.Text);

    /// <summary>What the address with TLS would be without, and the other way round.</summary>
    private string Other => $"{(_address.IsTls ? "http" : "https")}://{Host.Authority}";

    public async Task ExamineAsync(CancellationToken stop)
    {
        if (_address.SocketPath is null)
        {
            await steps.ExamineAsync(StepName.ApplicationDns, $"looking up {Host.IdnHost}", Limits.LookUp, LookUpAsync, UnknownHost(), stop);
        }

        await steps.ExamineAsync(StepName.ApplicationConnect, $"connecting to {_address}", settings.ConnectTimeout, ConnectAsync, Unreachable(), stop);
        if (Array.Find(s_channelSettings, wrong.Contains) is { } setting)
        {
            steps.Block($"{setting.Flag} is wrong");
        }

        await steps.ExamineAsync(
            StepName.ApplicationGrpc,
            _address.IsTls ? $"HTTP/2 over TLS with {_address}" : $"HTTP/2 without TLS with {_address}",

            // Time for a second try, with TLS where there was none, or without.
            (2 * settings.ConnectTimeout) + Limits.Slack,
            GreetAsync,
            ApplicationSilence.Remedies(ApplicationSettingTable.AppConnectTimeout, settings.ConnectTimeout),
            stop);
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
            return Finding.Ok(await Dial.ConnectAsync(Dial.EndPointOf(_address), cancellationToken));
        }
        catch (SocketException exception) when (_address.SocketPath is { } path)
        {
            return SocketRefusal.Of(path, exception);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return ApplicationRefusal.Of(_address, surroundings);
        }
        catch (SocketException exception)
        {
            return Finding.Failed($"no connection: {exception.Message}", Unreachable());
        }
    }

    /// <summary>One call that every application may leave unimplemented, for the connection under it.</summary>
    private async Task<Finding> GreetAsync(CancellationToken cancellationToken)
    {
        ClientChannelOptions options;
        try
        {
            options = ApplicationClientOptions.From(settings, limits, TimeProvider.System).Channel;
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

        if (status.ConnectFailure == ConnectFailure.None)
        {
            return Finding.Failed($"it accepts connections and says nothing: {status.Message}", ApplicationSilence.Remedies(ApplicationSettingTable.AppConnectTimeout, settings.ConnectTimeout));
        }

        return status.ConnectFailure is ConnectFailure.Closed or ConnectFailure.TlsFailed && await SpeaksOtherwiseAsync(options, cancellationToken)
            ? Finding.Failed($"{status.Message}. {(_address.IsTls ? "Without" : "With")} TLS it answers", _address.IsTls ? WithoutTls() : WithTls())
            : Finding.Failed(status.Message, Remedies(status.ConnectFailure));
    }

    private async Task<(bool IsConnected, CallStatus Status)> CallAsync(ClientChannelOptions options, CancellationToken cancellationToken)
    {
        var isConnected = false;
        using var channel = new ClientChannel(options, logger);
        channel.ConnectionEstablished += () => Volatile.Write(ref isConnected, true);
        var client = new V1.ActionService.ActionServiceClient(channel.Calls);
        using var scope = channel.BeginCall(settings.ConnectTimeout);
        CallStatus status;
        try
        {
            await client.GetRuntimeInfoAsync(new V1.GetRuntimeInfoRequest(), deadline: scope.Deadline, cancellationToken: cancellationToken);
            status = CallStatus.OK;
        }
        catch (RpcException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            status = scope.StatusOf(exception);
        }

        // The news of a connection may come after the answer that came over it.
        var hasAnswered = status.Code is not (StatusCode.Unavailable or StatusCode.DeadlineExceeded);
        return (hasAnswered || Volatile.Read(ref isConnected), status);
    }

    private IReadOnlyList<string> Remedies(ConnectFailure failure) => failure switch
    {
        ConnectFailure.PlaintextToTlsPeer => _address.SocketPath is null ? WithTls() : ["Let the application serve its socket without TLS"],
        ConnectFailure.TlsToPlaintextPeer => WithoutTls(),
        ConnectFailure.NotHttp2 =>
        [
            "`--app` with the port that the application serves gRPC on; this one is another server's, such as its web server",
            "Where one port serves both, let it take HTTP/2 without TLS (h2c)",
        ],
        ConnectFailure.CertificateNotTrusted => ["`--app-ca FILE` with the certificate authority of the application's certificate"],
        ConnectFailure.CertificateForOtherName => ["`--app-authority HOST` with a name that the certificate is for"],
        ConnectFailure.TlsFailed => ["`--app-cert FILE` and `--app-key FILE`, should it want a certificate of the sidecar", .. WithoutTls()],
        _ => ["`--app` with the port that the application serves gRPC on", "Look into the application's log: it closed the connection"],
    };

    /// <summary>Whether the peer does with TLS, or does without it, what it did not do as the settings have it: many servers just hang up.</summary>
    private async Task<bool> SpeaksOtherwiseAsync(ClientChannelOptions options, CancellationToken cancellationToken)
    {
        if (_address.SocketPath is not null)
        {
            return false;
        }

        var other = new ClientChannelOptions
        {
            Target = GrpcTarget.Parse(Other),
            CertificateAuthorities = options.CertificateAuthorities,
            ConnectTimeout = options.ConnectTimeout,
        };
        var (isConnected, status) = await CallAsync(other, cancellationToken);
        return isConnected || status.ConnectFailure is ConnectFailure.CertificateNotTrusted or ConnectFailure.CertificateForOtherName;
    }

    private IReadOnlyList<string> WithTls() =>
        [$"`--app {Other}`, which says that it speaks TLS", "`--app-ca FILE` beside it, where the certificate comes from a private authority"];

    private IReadOnlyList<string> WithoutTls() =>
        [$"`--app {Other}`, which says that it speaks no TLS"];

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
}
