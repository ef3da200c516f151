using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary>The run context of a handler. This type is thread-safe. Do not use it after the handler has returned.</summary>
public sealed class ActionRunContext
{
    private static readonly AsyncLocal<ActionRunContext?> s_current = new();
    private static readonly string[] s_traceHeaders = ["traceparent", "tracestate", "baggage"];

    private readonly JsonSerializerOptions _options;
    private readonly UpdateWriter _updates;

    internal ActionRunContext(ServerCallContext call, V1.RunActionRequest start, UpdateWriter updates, JsonSerializerOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        _updates = updates;
        _options = options;
        Logger = logger;
        Call = call;
        HttpContext = call.GetHttpContext();
        CancellationToken = cancellationToken;
        Key = start.Key;
        StreamingRequested = start.Stream;
        TelemetryLabels = start.TelemetryLabels;
        InputJson = start.HasInputJson ? Raw(start.InputJson) : RawJson.Absent;
        InitJson = start.HasInitJson ? Raw(start.InitJson) : RawJson.Absent;
        ContextJson = start.HasContextJson ? Raw(start.ContextJson) : RawJson.Absent;
    }

    /// <summary>The run that the calling code belongs to, at any call depth. Null outside a run.</summary>
    public static ActionRunContext? Current => s_current.Value;

    /// <summary>Key of the action, <c>/TYPE/NAME</c>.</summary>
    public string Key { get; }

    /// <summary>Whether the caller wants chunks. If false, chunks that the handler sends are dropped.</summary>
    public bool StreamingRequested { get; }

    /// <summary>Labels for the run's spans, set by the caller.</summary>
    public IReadOnlyDictionary<string, string> TelemetryLabels { get; }

    /// <summary>The input as the caller sent it.</summary>
    public RawJson InputJson { get; }

    /// <summary>The value that a session starts from, as the caller sent it.</summary>
    public RawJson InitJson { get; }

    /// <summary>The context of the run as the caller sent it, such as <c>{"auth": {…}}</c>. Do not log it: it may hold credentials.</summary>
    public RawJson ContextJson { get; }

    /// <summary>gRPC metadata of the call.</summary>
    public IHeaderDictionary Metadata => HttpContext.Request.Headers;

    /// <summary>
    /// W3C trace context of the call: <c>traceparent</c>, <c>tracestate</c> and <c>baggage</c>. Add it to outgoing requests that do not use <see cref="HttpClient"/>.
    /// <see cref="System.Diagnostics.Activity.Current"/> already has it.
    /// </summary>
    public IReadOnlyDictionary<string, string> TraceHeaders => s_traceHeaders
        .Where(name => Metadata.ContainsKey(name))
        .ToDictionary(name => name, name => Metadata[name].ToString());

    /// <summary>The gRPC call: its deadline, peer, request headers and response trailers.</summary>
    public ServerCallContext Call { get; }

    /// <summary>The HTTP context of the call: its user and features.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>The services of the call. Scoped services live as long as the run.</summary>
    public IServiceProvider Services => HttpContext.RequestServices;

    /// <summary>Cancelled when the run is cancelled: the caller cancels the call or disconnects, the deadline passes, or the application stops.</summary>
    public CancellationToken CancellationToken { get; }

    internal ILogger Logger { get; }

    /// <summary>Reads the value that a session starts from. Returns <c>default</c> if it is absent.</summary>
    /// <exception cref="InputError">The value does not match <typeparamref name="T"/>.</exception>
    public T? GetInit<T>() => GetInit(_options.TypeOf<T>());

    /// <inheritdoc cref="GetInit{T}()"/>
    /// <param name="type">Metadata of the type.</param>
    public T? GetInit<T>(JsonTypeInfo<T> type) => new InputReader<T?>(type!, isNullable: true, isOptional: true).Read(InitJson, "the init");

    /// <summary>Reads the context of the run, such as <c>{"auth": {…}}</c>. Returns <c>default</c> if it is absent. Do not log it: it may hold credentials.</summary>
    /// <exception cref="InputError">The value does not match <typeparamref name="T"/>.</exception>
    public T? GetContext<T>() => GetContext(_options.TypeOf<T>());

    /// <inheritdoc cref="GetContext{T}()"/>
    /// <param name="type">Metadata of the type.</param>
    public T? GetContext<T>(JsonTypeInfo<T> type) => new InputReader<T?>(type!, isNullable: true, isOptional: true).Read(ContextJson, "the context");

    /// <summary>Sends one chunk of streamed output. Completes when gRPC has accepted it, so a slow caller slows the handler. The chunk is dropped if the caller wants none.</summary>
    /// <param name="chunk">The chunk. A <see cref="RawJson"/> is sent as is.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The run has ended.</exception>
    public ValueTask SendChunkAsync<T>(T chunk) => typeof(T) == typeof(RawJson) ? SendRawAsync((RawJson)(object)chunk!) : SendChunkAsync(chunk, _options.TypeOf<T>());

    /// <inheritdoc cref="SendChunkAsync{T}(T)"/>
    /// <param name="chunk">The chunk.</param>
    /// <param name="type">Metadata of the type.</param>
    public ValueTask SendChunkAsync<T>(T chunk, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return SendRawAsync(JsonDefaults.Encode(chunk, type));
    }

    /// <summary>Reports the trace id of the application's spans if they do not join the trace of the call. Call it before sending chunks.</summary>
    /// <param name="traceId">Trace id of 32 lower-case hex digits.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public ValueTask SendStateAsync(string traceId) => _updates.StateAsync(traceId);

    /// <summary>Makes this run the <see cref="Current"/> run of the code that is called from here.</summary>
    internal void Enter() => s_current.Value = this;

    private static RawJson Raw(ByteString json) => new(json.Memory);

    private ValueTask SendRawAsync(RawJson chunk) =>
        chunk.IsAbsent ? throw new ArgumentException("a chunk cannot be RawJson.Absent", nameof(chunk))
        : StreamingRequested ? _updates.ChunkAsync(chunk)
        : CancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(CancellationToken)
        : ValueTask.CompletedTask;
}
