using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.GrpcClient;
using Genkit.Sidecar.Json;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Application;

/// <summary>
/// The application, dialled over gRPC. What crosses this seam is raw JSON and Genkit's terms, never a generated type, so that an
/// application that is reached in another way can stand here.
/// </summary>
internal sealed partial class ApplicationClient : IAsyncDisposable
{
    public const string Service = "genkit.sidecar.v1.ActionService";
    public const string ListActions = "ListActions";

    private readonly ClientChannel _channel;
    private readonly V1.ActionService.ActionServiceClient _client;
    private readonly ApplicationClientOptions _options;
    private readonly ApplicationFailures _failures;
    private readonly ILogger<ApplicationClient> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _greeting = Task.CompletedTask;

    /// <summary>Whether a greeting runs. Set and cleared under the lock together with <see cref="_greetAgain"/>, so that no connection goes ungreeted.</summary>
    private bool _isGreeting;
    private bool _greetAgain;
    private string _lastOmissions = "";

    public ApplicationClient(ApplicationClientOptions options, ILogger<ApplicationClient> logger)
    {
        _options = options;
        _logger = logger;
        Address = options.Channel.Target.ToString();
        _failures = new ApplicationFailures(Address);
        _channel = new ClientChannel(options.Channel, logger);
        _client = new V1.ActionService.ActionServiceClient(_channel.Calls);
        _channel.ConnectionEstablished += OnConnected;
    }

    public string Address { get; }

    /// <summary>The OTLP addresses that Configure sends to the application of each new connection. Set before the first call.</summary>
    public OtlpEndpoints OtlpEndpoints { get; set; } = OtlpEndpoints.None;

    /// <summary>What the application of the newest connection says of itself.</summary>
    public RuntimeInfo Info { get; private set; } = RuntimeInfo.Unknown;

    /// <summary>Whether <see cref="ListValuesAsync"/> knows the type. Genkit's tools ask for no other.</summary>
    public static bool IsValueType(string type) => type is "defaultModel" or "middleware";

    /// <summary>Asks for the actions, anew each time.</summary>
    public async Task<Answer<ListedActions>> ListActionsAsync(CancellationToken cancellationToken)
    {
        var answer = await CallAsync(ListActions, options => _client.ListActionsAsync(new V1.ListActionsRequest(), options), cancellationToken);
        if (answer.Value is null)
        {
            return answer.Failure!;
        }

        var actions = ListedActions.From(answer.Value.Actions);
        LogOmissions(actions);
        return actions.Map.Length > _options.MaxMessageBytes
            ? new ActionFailure(
                StatusCode.ResourceExhausted,
                $"The list of actions has {actions.Map.Length} bytes, over the limit of {_options.MaxMessageBytes} that --max-message-bytes sets")
            : actions;
    }

    /// <summary>Asks for the values of a type; an application that offers none has none.</summary>
    public async Task<Answer<ListedValues>> ListValuesAsync(string type, CancellationToken cancellationToken)
    {
        var none = new ListedValues("{}"u8.ToArray());
        var answer = await CallAsync("ListValues", options => _client.ListValuesAsync(new V1.ListValuesRequest { Type = type }, options), cancellationToken);
        if (answer.Value is null)
        {
            return answer.Failure!.Code == StatusCode.Unimplemented ? none : answer.Failure;
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

        return new ActionFailure(StatusCode.Internal, $"The application sent a values_json that is not one JSON object: {defect ?? "it is another JSON value"}");
    }

    /// <summary>Starts a run. How it goes, a failure to connect included, comes from the run.</summary>
    public RunActionCall StartRun(RunRequest request, string traceParent, string traceState, CancellationToken cancellationToken)
    {
        var scope = _channel.BeginCall(_options.RunTimeout > TimeSpan.Zero ? _options.RunTimeout : null);
        var options = new CallOptions(new Metadata { { "traceparent", traceParent }, { "tracestate", traceState } }, scope.Deadline, cancellationToken);
        if (request.StreamInput)
        {
            var call = _channel.Calls.AsyncDuplexStreamingCall(RunMethods.RunBidiAction, host: null, options);
            return new RunActionCall(scope, new OutgoingMessage(RunMessages.Start(request), request.Owner), call, RunMethods.RunBidiAction.Name, _failures);
        }

        var message = new OutgoingMessage(RunMessages.RunAction(request), request.Owner);
        return new RunActionCall(
            scope, message, _channel.Calls.AsyncServerStreamingCall(RunMethods.RunAction, host: null, options, message), RunMethods.RunAction.Name, _failures);
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
            // The sidecar stops and needs no names.
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
        var info = await CallAsync("GetRuntimeInfo", options => _client.GetRuntimeInfoAsync(new V1.GetRuntimeInfoRequest(), options), _stop.Token);
        if (info.Value is { } said)
        {
            Info = new RuntimeInfo(said.Name, said.GenkitVersion, [.. said.Environments]);
        }
        else if (info.Failure!.Code != StatusCode.Unimplemented)
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
            SidecarVersion = _options.Version,
            MaxMessageBytes = _options.MaxMessageBytes,
        };
        var configured = await CallAsync("Configure", options => _client.ConfigureAsync(configuration, options), _stop.Token);
        if (configured.Failure is { } failure && failure.Code != StatusCode.Unimplemented)
        {
            Log.GreetingFailed(_logger, "Configure", failure.Message);
        }
    }

    private async Task<Answer<TResponse>> CallAsync<TResponse>(string rpc, Func<CallOptions, AsyncUnaryCall<TResponse>> start, CancellationToken cancellationToken)
        where TResponse : class, IMessage<TResponse>
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var scope = _channel.BeginCall(_options.CallTimeout);
        using var call = start(new CallOptions(deadline: scope.Deadline, cancellationToken: cancellationToken));
        try
        {
            return await call.ResponseAsync;
        }
        catch (RpcException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return exception.Status.DebugException is InvalidProtocolBufferException
                ? new ActionFailure(StatusCode.Internal, $"The application's answer to {rpc} is not a {typeof(TResponse).Name}")
                : _failures.From(scope.StatusOf(exception), rpc, hasAnswered: false);
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
        [LoggerMessage(LogLevel.Debug, "Connected to the application at {Address}", EventName = "ApplicationConnected")]
        public static partial void Connected(ILogger logger, string address);

        [LoggerMessage(LogLevel.Warning, "{Rpc} failed: {Message}", EventName = "ApplicationGreetingFailed")]
        public static partial void GreetingFailed(ILogger logger, string rpc, string message);

        [LoggerMessage(LogLevel.Error, "Greeting the application failed inside the sidecar", EventName = "ApplicationGreetingFaulted")]
        public static partial void GreetingFaulted(ILogger logger, Exception exception);

        [LoggerMessage(LogLevel.Warning, "Left out of the list of actions: {Omissions}", EventName = "ActionsOmitted")]
        public static partial void Omissions(ILogger logger, string omissions);
    }
}
