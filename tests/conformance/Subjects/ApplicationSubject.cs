using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Json;
using Genkit.Sidecar.Grpc;
using Google.Protobuf;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>An application, called over gRPC on a connection of its own.</summary>
internal sealed class ApplicationSubject : ISubject
{
    private const string Service = "/genkit.sidecar.v1.ActionService/";
    private const string HealthService = "/grpc.health.v1.Health/";

    // What the sidecar takes by default.
    private const int MaxMessageBytes = 90 * 1024 * 1024;

    // The sidecar's own deadline, so that a slow application fails here as it does there.
    private static readonly GrpcCallOptions s_options = new() { Deadline = TimeSpan.FromSeconds(10) };

    private readonly ApplicationAddress _address;
    private GrpcChannel _channel;

    public ApplicationSubject(ApplicationAddress address)
    {
        _address = address;
        _channel = Dial(address);
    }

    /// <summary>Closes the connection, which ends its calls, and goes on over another one.</summary>
    public void Reconnect()
    {
        _channel.Dispose();
        _channel = Dial(_address);
    }

    public async Task<IRun> StartAsync(RunPlan plan, CancellationToken cancellationToken)
    {
        var options = new GrpcCallOptions { Metadata = plan.Metadata, Deadline = plan.Deadline };
        var call = _channel.StartCall(Service + (plan.IsBidi ? "RunBidiAction" : "RunAction"), options, cancellationToken);
        var start = RequestOf(plan);
        var message = plan.IsBidi ? new V1.RunBidiActionRequest { Start = start }.ToByteArray() : start.ToByteArray();
        await call.WriteAsync(new ReadOnlySequence<byte>(message), endOfStream: !plan.IsBidi, cancellationToken);
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

    /// <summary>Why nobody is there, for people; null if somebody is, who may answer well or not.</summary>
    public async Task<string?> AbsenceAsync(CancellationToken cancellationToken)
    {
        using var result = await _channel.UnaryAsync(Service + "ListActions", Bytes(new V1.ListActionsRequest()), s_options, cancellationToken);
        return result.Status.Code is GrpcStatusCode.Unavailable or GrpcStatusCode.DeadlineExceeded ? result.Status.Message : null;
    }

    /// <summary>How a call ends that the case itself has written.</summary>
    /// <param name="method">The path of the method.</param>
    /// <param name="messages">The bytes of its messages; the call's input ends behind them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<GrpcStatus> CallRawAsync(string method, IReadOnlyList<byte[]> messages, CancellationToken cancellationToken)
    {
        await using var call = _channel.StartCall(method, GrpcCallOptions.Default, cancellationToken);
        foreach (var message in messages)
        {
            await call.WriteAsync(new ReadOnlySequence<byte>(message), endOfStream: false, cancellationToken);
        }

        await call.CompleteAsync(cancellationToken);
        while (await call.ReadAsync(cancellationToken))
        {
        }

        return call.Status!;
    }

    /// <summary>The health of a service: its state, or the status of a call that failed.</summary>
    public async Task<string> CheckHealthAsync(string service, CancellationToken cancellationToken)
    {
        using var result = await _channel.UnaryAsync(
            HealthService + "Check", Bytes(new Health.HealthCheckRequest { Service = service }), GrpcCallOptions.Default, cancellationToken);
        return result.Status.IsOK
            ? Parsed(result.Message, Health.HealthCheckResponse.Parser, "Check").Status.ToString()
            : result.Status.Code.ToString();
    }

    /// <summary>The first state that watching a service tells, or the status of a call that failed; then the call is cancelled.</summary>
    public async Task<string> WatchHealthAsync(string service, CancellationToken cancellationToken)
    {
        await using var call = _channel.StartCall(HealthService + "Watch", GrpcCallOptions.Default, cancellationToken);
        await call.WriteAsync(Bytes(new Health.HealthCheckRequest { Service = service }), endOfStream: true, cancellationToken);
        return await call.ReadAsync(cancellationToken)
            ? Parsed(call.Message, Health.HealthCheckResponse.Parser, "Watch").Status.ToString()
            : call.Status!.Code.ToString();
    }

    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Parses a message of the application.</summary>
    /// <exception cref="CaseFailure">It is none of this type.</exception>
    internal static T Parsed<T>(ReadOnlySequence<byte> message, MessageParser<T> parser, string method)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new CaseFailure($"{method} answered with bytes that are no {typeof(T).Name}: {e.Message}");
        }
    }

    private static GrpcChannel Dial(ApplicationAddress address) =>
        new(new GrpcChannelOptions { Target = address.Target, CertificateAuthorities = address.Authorities, MaxReceiveMessageBytes = MaxMessageBytes });

    private static ReadOnlySequence<byte> Bytes(IMessage message) => new(message.ToByteArray());

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
            // Field 1000, a varint and a string: the generated type keeps what it does not know.
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
        return fault is null && type == JsonTokenType.StartObject ? json.ToByteArray() : throw new CaseFailure($"{what} {fault ?? "is no JSON object"}");
    }

    private async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        using var result = await _channel.UnaryAsync(Service + method, Bytes(request), s_options, cancellationToken);
        return result.Status.IsOK
            ? Parsed(result.Message, parser, method)
            : throw new CaseFailure($"{method} failed with {result.Status.Code} ({result.Status.Message})");
    }
}
