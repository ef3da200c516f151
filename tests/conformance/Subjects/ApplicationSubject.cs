using System.Text.Json;
using Genkit.Sidecar.Conformance.Json;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>An application, called over gRPC on its own connection. Messages are raw bytes, so that invalid messages can be inspected.</summary>
internal sealed class ApplicationSubject : ISubject
{
    private const string Service = "genkit.sidecar.v1.ActionService";
    private const string HealthService = "grpc.health.v1.Health";

    // The sidecar's deadline, so that a slow application fails here as well.
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);

    private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    private readonly ApplicationAddress _address;
    private GrpcChannel _channel;

    public ApplicationSubject(ApplicationAddress address)
    {
        _address = address;
        _channel = ApplicationChannel.To(address);
    }

    /// <summary>Closes the connection with its calls, and opens a new one.</summary>
    public void Reconnect()
    {
        _channel.Dispose();
        _channel = ApplicationChannel.To(_address);
    }

    public async Task<IRun> StartAsync(RunPlan plan, CancellationToken cancellationToken)
    {
        var call = Start(Service, plan.IsBidi ? "RunBidiAction" : "RunAction", plan.Metadata, plan.Deadline, cancellationToken);
        var start = RequestOf(plan);
        await call.WriteAsync(plan.IsBidi ? new V1.RunBidiActionRequest { Start = start }.ToByteArray() : start.ToByteArray(), cancellationToken);
        if (!plan.IsBidi)
        {
            await call.CompleteAsync();
        }

        return new ApplicationRun(call);
    }

    public async Task<IReadOnlyList<ListedAction>> ListActionsAsync(CancellationToken cancellationToken)
    {
        var answer = await CallAsync("ListActions", new V1.ListActionsRequest(), V1.ListActionsResponse.Parser, cancellationToken);
        return [.. answer.Actions.Select(Listed)];
    }

    public async Task<byte[]?> ListValuesAsync(string type, CancellationToken cancellationToken)
    {
        var answer = await CallAsync("ListValues", new V1.ListValuesRequest { Type = type }, V1.ListValuesResponse.Parser, cancellationToken);
        return answer.ValuesJson.IsEmpty ? null : Object(answer.ValuesJson, "values_json");
    }

    public Task<V1.GetRuntimeInfoResponse> GetRuntimeInfoAsync(CancellationToken cancellationToken) =>
        CallAsync("GetRuntimeInfo", new V1.GetRuntimeInfoRequest(), V1.GetRuntimeInfoResponse.Parser, cancellationToken);

    public Task<V1.ConfigureResponse> ConfigureAsync(V1.ConfigureRequest request, CancellationToken cancellationToken) =>
        CallAsync("Configure", request, V1.ConfigureResponse.Parser, cancellationToken);

    /// <summary>Returns why no application answers, or null if one does.</summary>
    public async Task<string?> AbsenceAsync(CancellationToken cancellationToken)
    {
        var (status, _) = await UnaryAsync(Service, "ListActions", new V1.ListActionsRequest(), s_deadline, cancellationToken);
        return ConnectFailure.Reason(status.DebugException, _address) ?? status.StatusCode switch
        {
            StatusCode.DeadlineExceeded => $"ListActions takes longer than {s_deadline.TotalSeconds} s",
            StatusCode.Unavailable => status.Detail,
            _ => null,
        };
    }

    /// <summary>Makes a call with raw messages and returns its status.</summary>
    /// <param name="path">The path of the method: <c>/package.Service/Method</c>.</param>
    /// <param name="messages">The bytes of the messages, after which the call is half-closed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Status> CallRawAsync(string path, IReadOnlyList<byte[]> messages, CancellationToken cancellationToken)
    {
        var parts = path.Split('/');
        await using var call = Start(parts[1], parts[2], null, null, cancellationToken);
        foreach (var message in messages)
        {
            await call.WriteAsync(message, cancellationToken);
        }

        await call.CompleteAsync();
        while (await call.ReadAsync(cancellationToken) is not null)
        {
        }

        return call.Status!.Value;
    }

    /// <summary>Returns the health of a service: its state, or the status of a failed call.</summary>
    public async Task<string> CheckHealthAsync(string service, CancellationToken cancellationToken)
    {
        var (status, answer) = await UnaryAsync(HealthService, "Check", new Health.HealthCheckRequest { Service = service }, null, cancellationToken);
        return answer is null ? status.StatusCode.ToString() : Parsed(answer, Health.HealthCheckResponse.Parser, "Check").Status.ToString();
    }

    /// <summary>Returns the first state of a watch, or the status of a failed call. Then cancels the call.</summary>
    public async Task<string> WatchHealthAsync(string service, CancellationToken cancellationToken)
    {
        await using var call = Start(HealthService, "Watch", null, null, cancellationToken);
        await call.WriteAsync(new Health.HealthCheckRequest { Service = service }.ToByteArray(), cancellationToken);
        await call.CompleteAsync();
        return await call.ReadAsync(cancellationToken) is { } message
            ? Parsed(message, Health.HealthCheckResponse.Parser, "Watch").Status.ToString()
            : call.Status!.Value.StatusCode.ToString();
    }

    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Parses a message of the application.</summary>
    /// <exception cref="CaseFailure">It is not of this type.</exception>
    internal static T Parsed<T>(byte[] message, MessageParser<T> parser, string method)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new CaseFailure($"{method} returned bytes that are not a {typeof(T).Name}: {e.Message}");
        }
    }

    private static V1.RunActionRequest RequestOf(RunPlan plan)
    {
        var request = new V1.RunActionRequest { Key = plan.Key, Stream = plan.Stream };
        if (plan.Input is not null)
        {
            request.InputJson = UnsafeByteOperations.UnsafeWrap(plan.Input);
        }

        if (plan.Init is not null)
        {
            request.InitJson = UnsafeByteOperations.UnsafeWrap(plan.Init);
        }

        if (plan.Context is not null)
        {
            request.ContextJson = UnsafeByteOperations.UnsafeWrap(plan.Context);
        }

        foreach (var (name, value) in plan.Labels)
        {
            request.TelemetryLabels[name] = value;
        }

        if (plan.HasUnknownField)
        {
            // Field 1000, a varint and a string. The generated type preserves unknown fields.
            request.MergeFrom((byte[])[0xC0, 0x3E, 0x01, 0xC2, 0x3E, 0x03, (byte)'n', (byte)'e', (byte)'w']);
        }

        return request;
    }

    private static ListedAction Listed(V1.Action action)
    {
        if (action.Key.Length == 0 || action.Name.Length == 0)
        {
            throw new CaseFailure($"ListActions has an action with the key '{action.Key}' and the name '{action.Name}': both are required");
        }

        return new ListedAction(
            action.Key,
            action.Name,
            action.HasDescription ? action.Description : null,
            action.HasInputSchemaJson ? Object(action.InputSchemaJson, $"input_schema_json of {action.Key}") : null,
            action.HasOutputSchemaJson ? Object(action.OutputSchemaJson, $"output_schema_json of {action.Key}") : null,
            action.HasMetadataJson ? Object(action.MetadataJson, $"metadata_json of {action.Key}") : null);
    }

    private static byte[] Object(ByteString json, string what)
    {
        var fault = JsonText.Fault(json.Span, out var type);
        return fault is null && type == JsonTokenType.StartObject ? json.ToByteArray() : throw new CaseFailure($"{what} {fault ?? "is not a JSON object"}");
    }

    private static CallOptions Options(Metadata? metadata, TimeSpan? deadline, CancellationToken cancellationToken) =>
        new(metadata, deadline is { } time ? TimeProvider.System.GetUtcNow().UtcDateTime + time : null, cancellationToken);

    // Also for a single request, because the encoding is the same.
    private ApplicationCall Start(string service, string name, Metadata? metadata, TimeSpan? deadline, CancellationToken cancellationToken)
    {
        var method = new Method<byte[], byte[]>(MethodType.DuplexStreaming, service, name, s_bytes, s_bytes);
        return new ApplicationCall(token => _channel.CreateCallInvoker().AsyncDuplexStreamingCall(method, null, Options(metadata, deadline, token)), cancellationToken);
    }

    private async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var (status, answer) = await UnaryAsync(Service, method, request, s_deadline, cancellationToken);
        return answer is null
            ? throw new CaseFailure($"{method} failed with {status.StatusCode} ({status.Detail})")
            : Parsed(answer, parser, method);
    }

    /// <returns>The response and OK, or null and the error status.</returns>
    private async Task<(Status Status, byte[]? Answer)> UnaryAsync(string service, string name, IMessage request, TimeSpan? deadline, CancellationToken cancellationToken)
    {
        var method = new Method<byte[], byte[]>(MethodType.Unary, service, name, s_bytes, s_bytes);
        try
        {
            using var call = _channel.CreateCallInvoker().AsyncUnaryCall(method, null, Options(null, deadline, cancellationToken), request.ToByteArray());
            return (Status.DefaultSuccess, await call);
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return (e.Status, null);
        }
    }
}
