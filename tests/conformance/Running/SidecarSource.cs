using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Subjects;
using Genkit.Sidecar.Grpc;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>A sidecar between the kit's manager and an application: the kit's own, or one that is under test too.</summary>
internal sealed class SidecarSource : ISubjectSource
{
    private static readonly TimeSpan s_starting = TimeSpan.FromSeconds(30);

    private readonly string _executable;
    private readonly Manager _manager;
    private readonly GrpcTarget _target;
    private readonly ReferenceApplication? _reference;
    private readonly ApplicationCommand? _command;
    private ChildProcess? _process;

    private SidecarSource(string executable, Manager manager, GrpcTarget target, ReferenceApplication? reference, ApplicationCommand? command)
    {
        _executable = executable;
        _manager = manager;
        _target = target;
        _reference = reference;
        _command = command;
    }

    public Way Way => _reference is null ? Way.Whole : Way.Sidecar;

    public string Name => _reference is null ? $"{_executable} with the application at {_target}" : $"{_executable} with the kit's own application";

    /// <summary>Starts the sidecar over the kit's own application.</summary>
    /// <exception cref="StartFailure">It does not register.</exception>
    public static Task<SidecarSource> StartAsync(string executable, ReferenceApplication reference, CancellationToken cancellationToken) =>
        StartAsync(executable, reference.Target, reference, null, cancellationToken);

    /// <summary>Starts the sidecar over an application.</summary>
    /// <exception cref="StartFailure">It does not register.</exception>
    public static Task<SidecarSource> StartAsync(string executable, GrpcTarget target, ApplicationCommand? command, CancellationToken cancellationToken) =>
        StartAsync(executable, target, null, command, cancellationToken);

    public ISubject Connect() => new ManagerSubject(_manager);

    public async Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken)
    {
        var end = _command is null ? null : await _command.RestartIfEndedAsync(hasFailed, cancellationToken);
        if (!_manager.IsConnected)
        {
            end = "the sidecar lost its connection";
            await Task.WhenAny(_manager.RegisteredAsync(cancellationToken), _process!.ExitedAsync(s_starting, cancellationToken));
        }

        if (_process!.ExitCode is { } code)
        {
            end = $"the sidecar ended with {code}. {_process.Output}";
            await _process.DisposeAsync();
            await StartAsync(cancellationToken);
        }

        return end;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await _manager.DisposeAsync();
        if (_command is not null)
        {
            await _command.DisposeAsync();
        }

        if (_reference is not null)
        {
            await _reference.DisposeAsync();
        }
    }

    private static async Task<SidecarSource> StartAsync(
        string executable, GrpcTarget target, ReferenceApplication? reference, ApplicationCommand? command, CancellationToken cancellationToken)
    {
        var source = new SidecarSource(executable, await Manager.StartAsync(), target, reference, command);
        try
        {
            await source.StartAsync(cancellationToken);
            return source;
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        // Probes and traces are not what is tested here, and a port that is taken would be a failure that is not the sidecar's.
        string[] command = [_executable, "run", "--manager", _manager.Address.ToString(), "--app", _target.ToString(), "--health", "off", "--telemetry-server", "off"];
        _process = ChildProcess.Start(command, new Dictionary<string, string>());
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_starting);
        var registered = _manager.RegisteredAsync(patience.Token);
        if (await Task.WhenAny(registered, _process.ExitedAsync(patience.Token)) != registered && !patience.IsCancellationRequested)
        {
            throw new StartFailure($"{_executable} ended with {_process.ExitCode} before it registered. {_process.Output}");
        }

        try
        {
            await registered;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartFailure($"{_executable} has not registered after {s_starting.TotalSeconds} s. {_process.Output}");
        }
    }
}
