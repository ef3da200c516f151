using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary>One run, as its handler knows it. Safe for use by several threads; of no use once the handler has ended.</summary>
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

    /// <summary>The run that the calling code belongs to, in any depth; null outside of one.</summary>
    public static ActionRunContext? Current => s_current.Value;

    /// <summary>The key that was run, <c>/TYPE/NAME</c>.</summary>
    public string Key { get; }

    /// <summary>Whether the caller wants chunks. Sending them where not costs little.</summary>
    public bool StreamingRequested { get; }

    /// <summary>Labels that the caller gave for the run's spans.</summary>
    public IReadOnlyDictionary<string, string> TelemetryLabels { get; }

    /// <summary>The input as it came.</summary>
    public RawJson InputJson { get; }

    /// <summary>What a session starts from, as it came.</summary>
    public RawJson InitJson { get; }

    /// <summary>The context of the run as it came, such as <c>{"auth": {…}}</c>. Keep it out of logs.</summary>
    public RawJson ContextJson { get; }

    /// <summary>gRPC metadata of the call.</summary>
    public IHeaderDictionary Metadata => HttpContext.Request.Headers;

    /// <summary>
    /// W3C trace context of the call, for requests to others that are not made with <see cref="HttpClient"/>. <see cref="System.Diagnostics.Activity.Current"/> has it already.
    /// </summary>
    public IReadOnlyDictionary<string, string> TraceHeaders => s_traceHeaders
        .Where(name => Metadata.ContainsKey(name))
        .ToDictionary(name => name, name => Metadata[name].ToString());

    /// <summary>The call as gRPC has it: its deadline, its peer, its request headers, the trailers that go with its status.</summary>
    public ServerCallContext Call { get; }

    /// <summary>The call as ASP.NET Core has it: its user, its features.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>The services of the call. Scoped ones live as long as the run.</summary>
    public IServiceProvider Services => HttpContext.RequestServices;

    /// <summary>Cancelled when the run is: its caller has cancelled the call or is gone, its deadline has passed, or the application stops.</summary>
    public CancellationToken CancellationToken { get; }

    internal ILogger Logger { get; }

    /// <summary>What a session starts from; <c>default</c> where the caller gave none.</summary>
    /// <exception cref="InputError">It is no <typeparamref name="T"/>.</exception>
    public T? GetInit<T>() => GetInit(_options.TypeOf<T>());

    /// <inheritdoc cref="GetInit{T}()"/>
    /// <param name="type">How it is read.</param>
    public T? GetInit<T>(JsonTypeInfo<T> type) => new InputReader<T?>(type!, isNullable: true, isOptional: true).Read(InitJson, "the init");

    /// <summary>The context of the run, such as <c>{"auth": {…}}</c>; <c>default</c> where the caller gave none. Keep it out of logs.</summary>
    /// <exception cref="InputError">It is no <typeparamref name="T"/>.</exception>
    public T? GetContext<T>() => GetContext(_options.TypeOf<T>());

    /// <inheritdoc cref="GetContext{T}()"/>
    /// <param name="type">How it is read.</param>
    public T? GetContext<T>(JsonTypeInfo<T> type) => new InputReader<T?>(type!, isNullable: true, isOptional: true).Read(ContextJson, "the context");

    /// <summary>Sends one chunk of streamed output. Completes when gRPC has taken it, so a slow caller slows the handler. Dropped where nobody wants chunks.</summary>
    /// <param name="chunk">The chunk; a <see cref="RawJson"/> is sent as it is.</param>
    /// <exception cref="OperationCanceledException">The run is cancelled.</exception>
    /// <exception cref="InvalidOperationException">The run has ended.</exception>
    public ValueTask SendChunkAsync<T>(T chunk) => typeof(T) == typeof(RawJson) ? SendRawAsync((RawJson)(object)chunk!) : SendChunkAsync(chunk, _options.TypeOf<T>());

    /// <inheritdoc cref="SendChunkAsync{T}(T)"/>
    /// <param name="chunk">The chunk.</param>
    /// <param name="type">How it is written.</param>
    public ValueTask SendChunkAsync<T>(T chunk, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return SendRawAsync(JsonDefaults.Encode(chunk, type));
    }

    /// <summary>Tells the trace id of the application's own spans, where they could not join the call's. Before any chunk.</summary>
    /// <param name="traceId">32 lower-case hex digits.</param>
    /// <exception cref="OperationCanceledException">The run is cancelled.</exception>
    public ValueTask SendStateAsync(string traceId) => _updates.StateAsync(traceId);

    /// <summary>Makes the run that of the code that is called from here on.</summary>
    internal void Enter() => s_current.Value = this;

    private static RawJson Raw(ByteString json) => new(json.Memory);

    private ValueTask SendRawAsync(RawJson chunk) =>
        chunk.IsAbsent ? throw new ArgumentException("RawJson.Absent is no value that a chunk can have", nameof(chunk))
        : StreamingRequested ? _updates.ChunkAsync(chunk)
        : CancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(CancellationToken)
        : ValueTask.CompletedTask;
}
