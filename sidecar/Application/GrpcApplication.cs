using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Json;
using Google.Protobuf;

namespace Genkit.Sidecar.Application;

/// <summary>
/// The application, dialled over gRPC. What crosses this seam is raw JSON and Genkit's terms, never a generated type, so that an
/// application that is reached in another way can stand here.
/// </summary>
internal sealed partial class GrpcApplication : IAsyncDisposable
{
    public const string Service = "genkit.sidecar.v1.ActionService";
    public const string ListActions = "ListActions";

    private readonly GrpcChannel _channel;
    private readonly GrpcApplicationOptions _options;
    private readonly ApplicationFailures _failures;
    private readonly ILogger<GrpcApplication> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _greeting = Task.CompletedTask;

    /// <summary>Whether a greeting runs. Set and cleared under the lock together with <see cref="_greetAgain"/>, so that no connection goes ungreeted.</summary>
    private bool _isGreeting;
    private bool _greetAgain;
    private string _lastOmissions = "";

    public GrpcApplication(GrpcApplicationOptions options, ILogger<GrpcApplication> logger)
    {
        _options = options;
        _logger = logger;
        Address = options.Channel.Target.ToString();
        _failures = new ApplicationFailures(Address);
        _channel = new GrpcChannel(options.Channel);
        _channel.ConnectionEstablished += OnConnected;
    }

    public string Address { get; }

    /// <summary>What each new connection's application is told of where to send OTLP. Set before the first call.</summary>
    public OtlpEndpoints OtlpEndpoints { get; set; } = OtlpEndpoints.None;

    /// <summary>What the application of the newest connection says of itself.</summary>
    public RuntimeInfo Info { get; private set; } = RuntimeInfo.Unknown;

    /// <summary>Whether <see cref="ListValuesAsync"/> knows the type. Genkit's tools ask for no other.</summary>
    public static bool IsValueType(string type) => type is "defaultModel" or "middleware";

    /// <summary>Asks for the actions, anew each time.</summary>
    public async Task<Answer<ListedActions>> ListActionsAsync(CancellationToken cancellationToken)
    {
        var answer = await CallAsync(ListActions, new V1.ListActionsRequest(), V1.ListActionsResponse.Parser, cancellationToken);
        if (answer.Value is null)
        {
            return answer.Failure!;
        }

        var actions = ListedActions.From(answer.Value.Actions);
        LogOmissions(actions);
        return actions.Map.Length > _options.MaxMessageBytes
            ? new ActionFailure(
                GrpcStatusCode.ResourceExhausted,
                $"The list of actions has {actions.Map.Length} bytes, over the limit of {_options.MaxMessageBytes} that --max-message-bytes sets")
            : actions;
    }

    /// <summary>Asks for the values of a type; an application that offers none has none.</summary>
    public async Task<Answer<ListedValues>> ListValuesAsync(string type, CancellationToken cancellationToken)
    {
        var none = new ListedValues("{}"u8.ToArray());
        var answer = await CallAsync("ListValues", new V1.ListValuesRequest { Type = type }, V1.ListValuesResponse.Parser, cancellationToken);
        if (answer.Value is null)
        {
            return answer.Failure!.Code == GrpcStatusCode.Unimplemented ? none : answer.Failure;
        }

        var values = answer.Value.ValuesJson.Memory;
        if (values.IsEmpty)
        {
            return none;
        }

        var defect = JsonPayload.FindDefect(values, out var root);
        if (defect is null && root == JsonTokenType.StartObject)
        {
            return new ListedValues(values);
        }

        return new ActionFailure(GrpcStatusCode.Internal, $"The application sent a values_json that is not one JSON object: {defect ?? "it is another JSON value"}");
    }

    /// <summary>Starts a run. How it goes, a failure to connect included, comes from the run.</summary>
    public ApplicationRun StartRun(RunRequest request, string traceParent, string traceState, CancellationToken cancellationToken)
    {
        var options = new GrpcCallOptions
        {
            Deadline = _options.RunTimeout > TimeSpan.Zero ? _options.RunTimeout : null,
            Metadata = new GrpcMetadata { { "traceparent", traceParent }, { "tracestate", traceState } },
        };
        var rpc = request.StreamInput ? "RunBidiAction" : "RunAction";
        var call = _channel.StartCall($"/{Service}/{rpc}", options, cancellationToken);
        return new ApplicationRun(call, rpc, request, _failures);
    }

    /// <summary>Waits until there has been a connection and its application has said what it is.</summary>
    public async Task GreetedAsync(CancellationToken cancellationToken)
    {
        await _connected.Task.WaitAsync(cancellationToken);
        await Greeting().WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Greeting();
        _channel.Dispose();
        _stop.Dispose();
    }

    private void OnConnected()
    {
        lock (_gate)
        {
            // At most one greeting waits: a peer that closes each connection after a call makes a new one for every greeting.
            _greetAgain = true;
            if (!_stop.IsCancellationRequested && !_isGreeting)
            {
                _isGreeting = true;
                _greeting = Task.Run(GreetAsync);
            }
        }

        _connected.TrySetResult();
    }

    private Task Greeting()
    {
        lock (_gate)
        {
            return _greeting;
        }
    }

    /// <summary>Exchanges names with the application of each new connection. Both methods are optional; a failure is not the runs' affair.</summary>
    private async Task GreetAsync()
    {
        try
        {
            while (TakeGreeting())
            {
                Log.Connected(_logger, Address);
                await AskForInfoAsync();
                await ConfigureAsync();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopping; nobody waits for names any more.
        }
        catch (Exception exception)
        {
            Log.GreetingFaulted(_logger, exception);
            lock (_gate)
            {
                _isGreeting = false;
            }
        }
    }

    private bool TakeGreeting()
    {
        lock (_gate)
        {
            _isGreeting = _greetAgain;
            _greetAgain = false;
            return _isGreeting;
        }
    }

    private async Task AskForInfoAsync()
    {
        var info = await CallAsync("GetRuntimeInfo", new V1.GetRuntimeInfoRequest(), V1.GetRuntimeInfoResponse.Parser, _stop.Token);
        if (info.Value is { } said)
        {
            Info = new RuntimeInfo(said.Name, said.GenkitVersion, [.. said.Environments]);
        }
        else if (info.Failure!.Code != GrpcStatusCode.Unimplemented)
        {
            Log.GreetingFailed(_logger, "GetRuntimeInfo", info.Failure.Message);
        }
    }

    private async Task ConfigureAsync()
    {
        var configuration = new V1.ConfigureRequest
        {
            OtlpGrpcEndpoint = OtlpEndpoints.Grpc,
            OtlpHttpEndpoint = OtlpEndpoints.Http,
            SidecarVersion = _options.SidecarVersion,
            MaxMessageBytes = _options.MaxMessageBytes,
        };
        var configured = await CallAsync("Configure", configuration, V1.ConfigureResponse.Parser, _stop.Token);
        if (configured.Failure is { } failure && failure.Code != GrpcStatusCode.Unimplemented)
        {
            Log.GreetingFailed(_logger, "Configure", failure.Message);
        }
    }

    private async Task<Answer<TResponse>> CallAsync<TResponse>(
        string rpc,
        IMessage request,
        MessageParser<TResponse> parser,
        CancellationToken cancellationToken)
        where TResponse : class, IMessage<TResponse>
    {
        var options = new GrpcCallOptions { Deadline = _options.CallTimeout };
        using var result = await _channel.UnaryAsync($"/{Service}/{rpc}", new ReadOnlySequence<byte>(request.ToByteArray()), options, cancellationToken);
        if (!result.Status.IsOK)
        {
            return _failures.From(result.Status, rpc, hasAnswered: false);
        }

        try
        {
            return parser.ParseFrom(result.Message);
        }
        catch (InvalidProtocolBufferException)
        {
            return new ActionFailure(GrpcStatusCode.Internal, $"The application's answer to {rpc} is not a {typeof(TResponse).Name}");
        }
    }

    private void LogOmissions(ListedActions actions)
    {
        // The tools ask every half second while they wait; what they get is said when it changes.
        var omissions = string.Join("; ", actions.Omissions);
        if (Interlocked.Exchange(ref _lastOmissions, omissions) != omissions && omissions.Length > 0)
        {
            Log.Omissions(_logger, omissions);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connected to the application at {Address}")]
        public static partial void Connected(ILogger logger, string address);

        [LoggerMessage(LogLevel.Warning, "{Rpc} failed: {Message}")]
        public static partial void GreetingFailed(ILogger logger, string rpc, string message);

        [LoggerMessage(LogLevel.Error, "Greeting the application failed inside the sidecar")]
        public static partial void GreetingFaulted(ILogger logger, Exception exception);

        [LoggerMessage(LogLevel.Warning, "Left out of the list of actions: {Omissions}")]
        public static partial void Omissions(ILogger logger, string omissions);
    }
}
