using System.Diagnostics.Metrics;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.ReflectionV2;

namespace Genkit.Sidecar.Health;

/// <summary>Judges the probes by how the sidecar's parts stand.</summary>
internal sealed class SidecarHealth
{
    private readonly ManagerStatus _manager;
    private readonly GrpcApplication _application;
    private readonly ApplicationProbe _probe;
    private readonly IHostApplicationLifetime _lifetime;

    public SidecarHealth(ManagerStatus manager, GrpcApplication application, IHostApplicationLifetime lifetime, Meter meter, TimeProvider time)
    {
        _manager = manager;
        _application = application;
        _lifetime = lifetime;
        _probe = new ApplicationProbe(async limit => (await application.ListActionsAsync(limit)).Failure?.Message, time);
        meter.CreateObservableUpDownCounter("genkit.sidecar.manager.registered", () => manager.IsRegistered ? 1L : 0, null, "1 while registered with the manager, else 0");
        meter.CreateObservableUpDownCounter("genkit.sidecar.application.up", () => _probe.Answered ? 1L : 0, null, "1 while the application answers, else 0");
    }

    private bool IsStopping => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>All that a probe depends on; it is good if all of it holds.</summary>
    public async Task<IReadOnlyList<Condition>> CheckAsync(Probe probe)
    {
        if (probe == Probe.Startup)
        {
            return [new("started", _manager.HasStarted, _manager.HasStarted ? "calling the manager, or connected" : "not yet")];
        }

        if (probe == Probe.Live)
        {
            return
            [
                IsStopping
                    ? new("alive", true, "stopping")
                    : new("alive", !_manager.HasEnded, _manager.HasEnded ? "nothing calls the manager any more" : "calling the manager, or connected"),
            ];
        }

        return
        [
            new("running", !IsStopping, IsStopping ? "stopping" : "not stopping"),
            new("manager", _manager.IsRegistered, _manager.Reason),
            await AskApplicationAsync(),
        ];
    }

    /// <summary>Asks the application, unless that has been done just now. A sidecar that stops leaves it alone.</summary>
    public async Task<Condition> AskApplicationAsync()
    {
        const string Name = "application";
        if (IsStopping)
        {
            return new(Name, false, "not asked any more");
        }

        var reason = await _probe.AskAsync();
        return new(Name, reason is null, reason ?? $"answers at {_application.Address}");
    }
}
