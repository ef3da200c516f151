using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;

namespace Genkit.Sidecar.Client;

/// <summary>Defines the actions of an application and serves them to genkit-sidecar. This type is thread-safe.</summary>
/// <param name="name">Name of the application in the Dev UI.</param>
/// <param name="options">Environments, callbacks and serialization.</param>
public sealed partial class Application(string name = "", ApplicationOptions? options = null)
{
    private static readonly string s_version =
        typeof(Application).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private readonly ApplicationOptions _options = options ?? new();
    private readonly OrderedDictionary<string, ActionDefinition> _actions = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Name of the application in the Dev UI.</summary>
    public string Name { get; } = name;

    /// <summary>Values that <c>ListValues</c> returns, by type and name, such as <c>{"defaultModel": {"defaultModel": {"name": "echo"}}}</c>.</summary>
    public IDictionary<string, JsonObject> Values { get; } = new ConcurrentDictionary<string, JsonObject>(StringComparer.Ordinal);

    /// <summary>A snapshot of the listed actions.</summary>
    public IReadOnlyList<ActionDefinition> Actions
    {
        get
        {
            lock (_lock)
            {
                return [.. _actions.Values];
            }
        }
    }

    internal JsonSerializerOptions JsonSerializerOptions { get; } = JsonDefaults.Or(options?.JsonSerializerOptions);

    /// <summary>Adds an action. It replaces an action with the same key.</summary>
    /// <returns>The action.</returns>
    /// <exception cref="ArgumentException">The metadata or a schema has no JSON representation, such as NaN.</exception>
    public ActionDefinition Add(ActionDefinition action)
    {
        ArgumentNullException.ThrowIfNull(action);
        _ = action.Listed; // one action that cannot be listed would fail every ListActions call
        lock (_lock)
        {
            _actions[action.Key] = action;
        }

        return action;
    }

    /// <summary>Removes the action with the given key. Active runs continue.</summary>
    /// <returns>Whether the application had the action.</returns>
    public bool Remove(string key)
    {
        lock (_lock)
        {
            return _actions.Remove(key);
        }
    }

    /// <summary>Returns the listed action with the given key, else the action that <see cref="ApplicationOptions.Resolve"/> returns, else null.</summary>
    public ActionDefinition? Find(string key)
    {
        lock (_lock)
        {
            if (_actions.TryGetValue(key, out var action))
            {
                return action;
            }
        }

        return _options.Resolve?.Invoke(key);
    }

    /// <summary>Serves until SIGINT or SIGTERM. Active runs may then continue for <see cref="ServeOptions.Grace"/>. A second signal cancels them at once.</summary>
    /// <param name="address"><c>HOST:PORT</c> or <c>unix:/PATH</c>. Defaults to the environment variable GENKIT_SIDECAR_LISTEN, else 127.0.0.1:50051.</param>
    /// <param name="options">Grace period, TLS and server configuration.</param>
    /// <param name="cancellationToken">Stops the server as a signal does.</param>
    /// <exception cref="ArgumentException">The address is malformed, or its host is unknown.</exception>
    /// <exception cref="InvalidOperationException">The server cannot listen on the address.</exception>
    public async Task ServeAsync(string? address = null, ServeOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        var server = await StartAsync(address, options, CancellationToken.None).ConfigureAwait(false);
        await using var disposal = server.ConfigureAwait(false);
        var stops = 0;
        void Stop() => _ = server.StopAsync(Interlocked.Increment(ref stops) == 1 ? options.Grace : TimeSpan.Zero);
        void StopBySignal(PosixSignalContext signal)
        {
            signal.Cancel = true;
            Stop();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, StopBySignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, StopBySignal);
        await using var token = cancellationToken.UnsafeRegister(_ => Stop(), null).ConfigureAwait(false);
        await Console.Error.WriteLineAsync($"{(Name.Length > 0 ? Name : "The application")} listens on {server.Address}").ConfigureAwait(false);
        await server.Stopped.ConfigureAwait(false);
    }

    /// <summary>Starts serving. Does not handle signals. Port 0 selects a free port.</summary>
    /// <param name="address"><c>HOST:PORT</c> or <c>unix:/PATH</c>. Defaults to the environment variable GENKIT_SIDECAR_LISTEN, else 127.0.0.1:50051.</param>
    /// <param name="options">Grace period, TLS and server configuration.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="ArgumentException">The address is malformed, or its host is unknown.</exception>
    /// <exception cref="InvalidOperationException">The server cannot listen on the address.</exception>
    public Task<RunningServer> StartAsync(string? address = null, ServeOptions? options = null, CancellationToken cancellationToken = default) =>
        RunningServer.StartAsync(this, ListenAddress.Choose(address), options ?? new(), cancellationToken);

    internal V1.GetRuntimeInfoResponse RuntimeInfo() => new() { Name = Name, GenkitVersion = $"csharp/{s_version}", Environments = { _options.Environments } };

    internal V1.ListActionsResponse ListActions() => new() { Actions = { Actions.Select(action => action.Listed) } };

    internal V1.ListValuesResponse ListValues(V1.ListValuesRequest request) => new()
    {
        ValuesJson = Values.TryGetValue(request.Type, out var values) ? UnsafeByteOperations.UnsafeWrap(JsonDefaults.Encode(values)) : ByteString.Empty,
    };

    internal V1.ConfigureResponse Configure(V1.ConfigureRequest request)
    {
        _options.OnConfigure?.Invoke(new SidecarConfiguration(
            request.OtlpGrpcEndpoint, request.OtlpHttpEndpoint, request.SidecarVersion, request.MaxMessageBytes, [.. request.Features]));
        return new V1.ConfigureResponse();
    }
}
