using Genkit.Sidecar.Conformance.Reference;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>A sidecar between the kit's manager and an application: the kit's own, or one that is under test too.</summary>
/// <param name="executable">The sidecar.</param>
/// <param name="address">Where the application is that is under test too; null for the kit's own.</param>
/// <param name="command">The command that starts the application, or null if it already runs.</param>
/// <param name="serve">Starts the kit's own.</param>
internal sealed class SidecarSource(string executable, ApplicationAddress? address, ApplicationCommand? command, Func<Task<ReferenceApplication>> serve) : ISubjectSource
{
    private static readonly TimeSpan s_starting = TimeSpan.FromSeconds(30);

    // It waits 10 s itself for an application that does not list.
    private static readonly TimeSpan s_answering = TimeSpan.FromSeconds(15);

    private Manager? _manager;
    private ReferenceApplication? _reference;
    private ChildProcess? _process;

    public Way Way => address is null ? Way.Sidecar : Way.Whole;

    public string Name => address is null ? $"{executable} with the kit's own application" : $"{executable} with the application at {address}";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _manager = await Manager.StartAsync();
        if (address is null)
        {
            _reference = await serve();
        }
        else
        {
            await (command?.StartAsync(cancellationToken) ?? ApplicationSource.CheckAsync(address, cancellationToken));
        }

        await StartSidecarAsync(cancellationToken);
    }

    public ISubject Connect() => new ManagerSubject(_manager!);

    public async Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken)
    {
        var loss = command is null ? null : await command.RecoverAsync(hasFailed, cancellationToken);
        if (!_manager!.IsConnected)
        {
            loss = "the sidecar lost its connection";
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(_manager.RegisteredAsync(patience.Token), _process!.ExitedAsync(s_starting, patience.Token));
            await patience.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (await _process!.EndAsync() is { } code)
        {
            loss = $"the sidecar ended with {code}. {_process.Output}";
        }
        else if (!_manager.IsConnected)
        {
            loss = $"the sidecar lost its connection and does not come back. {_process.Output}";
        }
        else if (hasFailed && !await AnswersAsync(cancellationToken))
        {
            loss = $"the sidecar is connected and does not answer any more. {_process.Output}";
        }
        else
        {
            return loss;
        }

        await _process.DisposeAsync();
        _manager.Disconnect();
        try
        {
            await StartSidecarAsync(cancellationToken);
            return loss;
        }
        catch (StartFailure e)
        {
            throw new StartFailure($"{loss}\nStarted again, it does not register: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _process, _manager, command, _reference })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    /// <summary>Whether it answers a listing, be it well or not.</summary>
    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_answering);
        try
        {
            await _manager!.AskAsync(ManagerFrames.ListActions, patience.Token);
            return true;
        }
        catch (CaseFailure)
        {
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task StartSidecarAsync(CancellationToken cancellationToken)
    {
        var target = address?.ToString() ?? _reference!.Address;
        IEnumerable<string> authorities = address?.AuthoritiesFile is { } file ? ["--app-ca", file] : [];

        // Probes and traces are not what is tested here, and a port that is taken would be a failure that is not the sidecar's.
        _process = ChildProcess.Start(
            [executable, "run", "--manager", _manager!.Address.ToString(), "--app", target, .. authorities, "--health", "off", "--telemetry-server", "off"],
            new Dictionary<string, string>());
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_starting);
        var registered = _manager.RegisteredAsync(patience.Token);
        if (await Task.WhenAny(registered, _process.ExitedAsync(patience.Token)) != registered && await _process.EndAsync() is { } code)
        {
            throw new StartFailure($"{executable} ended with {code} before it registered. {_process.Output}");
        }

        try
        {
            await registered;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartFailure($"{executable} has not registered after {s_starting.TotalSeconds} s. {_process.Output}");
        }
    }
}
