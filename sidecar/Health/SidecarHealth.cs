using System.Diagnostics.Metrics;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Health;

/// <summary>Judges the probes by how the sidecar's parts stand.</summary>
internal sealed class SidecarHealth
{
    private readonly EnabledEndpoints _endpoints;
    private readonly ManagerStatus _manager;
    private readonly ReflectionV1Status _reflectionV1;
    private readonly ApplicationClient _application;
    private readonly ApplicationProbe _probe;
    private readonly IHostApplicationLifetime _lifetime;

    public SidecarHealth(
        EnabledEndpoints enabled,
        ManagerStatus manager,
        ReflectionV1Status reflectionV1,
        ApplicationClient application,
        IHostApplicationLifetime lifetime,
        Meter meter,
        TimeProvider time)
    {
        _endpoints = enabled;
        _manager = manager;
        _reflectionV1 = reflectionV1;
        _application = application;
        _lifetime = lifetime;
        _probe = new ApplicationProbe(async limit => (await application.ListActionsAsync(limit)).Failure?.Message, time);
        if (enabled.ReflectionV2)
        {
            meter.CreateObservableUpDownCounter("genkit.sidecar.manager.registered", () => manager.IsRegistered ? 1L : 0, null, "1 while registered with the manager, else 0");
        }

        meter.CreateObservableUpDownCounter("genkit.sidecar.application.up", () => _probe.Answered ? 1L : 0, null, "1 while the application answers, else 0");
    }

    private bool IsStopping => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>All that a probe depends on; it is good if all of it holds.</summary>
    public async Task<IReadOnlyList<Condition>> CheckAsync(Probe probe)
    {
        if (probe == Probe.Startup)
        {
            var hasStarted = !_endpoints.ReflectionV2 || _manager.HasStarted;
            return [new("started", hasStarted, hasStarted ? Serving() : "not yet")];
        }

        if (probe == Probe.Live)
        {
            return
            [
                IsStopping
                    ? new("alive", true, "stopping")
                    : new("alive", !_manager.HasEnded, _manager.HasEnded ? "nothing calls the manager any more" : Serving()),
            ];
        }

        var conditions = new List<Condition> { new("running", !IsStopping, IsStopping ? "stopping" : "not stopping") };
        if (_endpoints.ReflectionV2)
        {
            conditions.Add(new("manager", _manager.IsRegistered, _manager.Reason));
        }
        else if (_endpoints.ReflectionV1)
        {
            conditions.Add(new("reflection-v1", _reflectionV1.Address is not null, _reflectionV1.Address is { } address ? $"served at {address}" : "not served"));
        }

        // With no endpoint enabled the application is not called, and may not even serve.
        return _endpoints.Any ? [.. conditions, await AskApplicationAsync()] : conditions;
    }

    private string Serving() =>
        _endpoints.ReflectionV2 ? "calling the manager, or connected"
        : _endpoints.ReflectionV1 ? "serving Reflection API v1"
        : _endpoints.FlowServer ? "serving flows"
        : "no endpoint is enabled";

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

/// <summary>One of the things that a probe depends on.</summary>
/// <param name="Name">What must hold.</param>
/// <param name="Holds">Whether it does.</param>
/// <param name="Reason">Why, worded for users; of any length and shape.</param>
internal readonly record struct Condition(string Name, bool Holds, string Reason);
