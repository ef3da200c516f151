using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Doctor;

/// <summary>The way to the manager: name, connection, WebSocket, registration.</summary>
/// <param name="steps">Takes the steps; blocked already where there is no <paramref name="address"/>.</param>
/// <param name="settings">What <c>run</c> would have.</param>
/// <param name="address">Where <c>run</c> would connect to; null if it would not know.</param>
/// <param name="surroundings">Where this process runs.</param>
/// <param name="runtimeId">The doctor's own.</param>
internal sealed class ManagerSteps(StepSequence steps, SidecarSettings settings, Uri? address, Surroundings surroundings, string runtimeId)
{
    private readonly TimeSpan _limit = Limits.Least(settings.Manager.RegisterTimeout, Limits.Connect);
    private readonly ManagerSocketOptions _socketOptions = ManagerSocketOptions.From(settings.Manager, settings.Limits);
    private ManagerSocket? _socket;

    public async Task ExamineAsync(CancellationToken stop)
    {
        var peer = address is null ? "the manager" : address.Authority;
        try
        {
            await steps.ExamineAsync(StepName.ManagerDns, $"looking up {address?.IdnHost ?? peer}", Limits.LookUp, LookUpAsync, UnknownHost(), stop);
            await steps.ExamineAsync(StepName.ManagerTcp, $"connecting to {peer}", _limit + Limits.Search + Limits.Slack, ConnectAsync, Unreachable(), stop);
            await steps.ExamineAsync(StepName.ManagerWebSocket, $"upgrading a connection to {peer} to a WebSocket", _limit + Limits.Search + Limits.Slack, UpgradeAsync, AnotherServer([]), stop);
            await steps.ExamineAsync(StepName.ManagerRegister, $"registering as {runtimeId}, and leaving again", _limit + Limits.Slack, RegisterAsync, AnotherServer([]), stop);
            await steps.ExamineAsync(StepName.RuntimeId, "whether another sidecar holds the runtime id", Limits.LookUp, _ => Task.FromResult(RuntimeId()), [], stop);
        }
        finally
        {
            if (_socket is not null)
            {
                await _socket.DisposeAsync();
            }
        }
    }

    private async Task<Finding> LookUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Finding.Ok(await Dial.LookUpAsync(address!.IdnHost, cancellationToken));
        }
        catch (SocketException exception)
        {
            return Finding.Failed($"the name cannot be looked up: {exception.Message}", UnknownHost());
        }
    }

    private async Task<Finding> ConnectAsync(CancellationToken cancellationToken)
    {
        using var limit = Limited(cancellationToken);
        try
        {
            return Finding.Ok(await Dial.ConnectAsync(new DnsEndPoint(address!.IdnHost, address.Port), limit.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.Failed($"no connection within {_limit.TotalSeconds:0.#} s", Unreachable());
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return ManagerRefusal.Of(address!, await OthersAsync(cancellationToken), surroundings);
        }
        catch (SocketException exception)
        {
            return Finding.Failed($"no connection: {exception.Message}", Unreachable());
        }
    }

    private async Task<Finding> UpgradeAsync(CancellationToken cancellationToken)
    {
        try
        {
            _socket = await ManagerSocket.ConnectAsync(address!, _socketOptions with { ConnectTimeout = _limit }, metrics: null, cancellationToken);
            return Finding.Ok("it is one");
        }
        catch (ManagerUnreachableException exception)
        {
            return exception.HttpStatus is null && address!.Scheme == "wss"
                ? Finding.Failed(exception.Message, $"`--manager ws://{address.Authority}`: Genkit's own manager speaks no TLS")
                : Finding.Failed(exception.Message, AnotherServer(await OthersAsync(cancellationToken)));
        }
    }

    private async Task<Finding> RegisterAsync(CancellationToken cancellationToken)
    {
        var session = new BriefSession(_socket!);
        var registration = new Registration(
            runtimeId, Environment.ProcessId, "genkit-sidecar doctor", $"genkit-sidecar/{SidecarVersion.Number}", ["dev"]);
        using var limit = Limited(cancellationToken);
        try
        {
            if (await session.RegisterAsync(registration, limit.Token) is { } refusal)
            {
                return Finding.Failed(refusal, AnotherServer([]));
            }

            await session.LeaveAsync(cancellationToken);
            return Finding.Ok("registered, and gone again; the runtime that serves, if there is one, was not replaced");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.Failed($"`register` was not answered within {_limit.TotalSeconds:0.#} s", AnotherServer([]));
        }
        catch (WebSocketException exception)
        {
            return Finding.Failed($"the connection was lost: {exception.Message}", AnotherServer([]));
        }
    }

    private Finding RuntimeId()
    {
        if (settings.Runtime.IdSource == SettingSource.Default)
        {
            return Finding.Ok("none is set: each start takes one of its own");
        }

        return RuntimeIdClaim.IsHeld(address!, settings.Runtime.Id)
            ? Finding.Warning(
                $"a running sidecar holds {QuotedText.Text(settings.Runtime.Id)}, from {settings.Runtime.IdSource}: fine if it is the one you look into, but a second one replaces it",
                $"Give each sidecar its own `{RuntimeSettingTable.RuntimeId.Flag}` ({RuntimeSettingTable.RuntimeId.EnvironmentVariable}), or none")
            : Finding.Ok($"no sidecar in this network namespace holds {QuotedText.Text(settings.Runtime.Id)}, from {settings.Runtime.IdSource}");
    }

    /// <summary>For the part of a step that has the peer's time, where the step itself has more to do.</summary>
    private CancellationTokenSource Limited(CancellationToken cancellationToken)
    {
        var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(_limit);
        return limited;
    }

    private Task<IReadOnlyList<Uri>> OthersAsync(CancellationToken cancellationToken)
    {
        Uri?[] named = [settings.Manager.Address, new ManagerLocator(settings.Manager).InEnvFile()?.Value];
        return new ManagerSearch(_socketOptions).FindAsync(address, named.OfType<Uri>(), cancellationToken);
    }

    private IReadOnlyList<string> UnknownHost() =>
    [
        surroundings.IsContainer
            ? "`--manager ws://NAME:PORT`, where NAME is a Compose service in a network of this container, a Kubernetes Service, or `localhost` where the network is shared"
            : "`--manager ws://localhost:PORT` for a CLI on this machine",
    ];

    private IReadOnlyList<string> Unreachable() => surroundings.Proxy is { } proxy && address is { IsLoopback: false }
        ? [$"{proxy} is set, but the sidecar uses no proxy: it must reach `--manager` straight", "Let firewalls and network policies pass that port"]
        : ["Let firewalls and network policies pass that port", "`--manager ws://HOST:PORT` with the address that the CLI has", ManagerRefusal.EnvFileRemedy];

    private static IReadOnlyList<string> AnotherServer(IReadOnlyList<Uri> managers) =>
    [
        .. managers.Select(other => $"`--manager {other.Scheme}://{other.Authority}`: a manager answers there"),
        "`--manager` with the address of the CLI's reflection server (3200 to 3400), not of its Dev UI (4000) or its telemetry server (4033 and up)",
        ManagerRefusal.EnvFileRemedy,
    ];
}
