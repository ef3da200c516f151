using System.Net.WebSockets;
using System.Text.Json;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// One WebSocket's life: its receive loop, its one writer, its registration. When the socket dies the session ends with it and
/// nothing in it is used again; runs that go on are in <see cref="PendingRequests"/>.
/// </summary>
internal sealed partial class ManagerSession : IAsyncDisposable
{
    /// <summary>
    /// If no request arrives for this long after registering, held answers are sent. A restarted manager normally sends its first request within
    /// this time, so the manager is presumed to be the same one. An answer with an unknown id is harmless.
    /// </summary>
    private static readonly TimeSpan s_identityWait = TimeSpan.FromMilliseconds(500);

    private const string RegisterId = "register";

    private readonly ManagerSocket _socket;
    private readonly ManagerIdentity _identity;
    private readonly PendingRequests _pendingRequests;
    private readonly TelemetryServer _telemetry;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _session = new();
    private readonly OutgoingQueue _queue;
    private readonly RequestDispatcher _dispatcher;
    private readonly SessionWriter _writer;
    private readonly TaskCompletionSource<string?> _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ManagerSession(
        ManagerSocket socket,
        ManagerIdentity identity,
        PendingRequests pendingRequests,
        ActiveRuns runs,
        ApplicationClient application,
        LimitSettings limits,
        TelemetryServer telemetry,
        TimeProvider time,
        ILogger logger)
    {
        _socket = socket;
        _identity = identity;
        _pendingRequests = pendingRequests;
        _telemetry = telemetry;
        _time = time;
        _logger = logger;
        _queue = new OutgoingQueue(() => pendingRequests.LiveCount > 1);
        _dispatcher = new RequestDispatcher(_queue, pendingRequests, runs, application, limits, telemetry, logger, _session.Token);
        _writer = new SessionWriter(socket, _queue, limits, _dispatcher.Completed);
    }

    /// <summary>Answers that wait for the manager to read.</summary>
    public int WaitingAnswers => _queue.WaitingAnswers;

    /// <summary>Answers until the socket ends.</summary>
    /// <param name="registration">Gives what to register with, when it is time to.</param>
    /// <param name="registerTimeout">Time for the manager to answer. It never answers params that it does not like.</param>
    /// <param name="onRegistered">Called once the manager has taken the registration.</param>
    public async Task<SessionEnd> RunAsync(
        Func<CancellationToken, Task<Registration>> registration,
        TimeSpan registerTimeout,
        Action<Registration> onRegistered)
    {
        var receiving = GuardAsync(ReceiveAsync);
        var sending = GuardAsync(_writer.RunAsync);
        var registering = GuardAsync(token => RegisterAsync(registration, registerTimeout, onRegistered, token));

        var first = await Task.WhenAny(receiving, sending, registering);
        if (first == registering && await registering is null)
        {
            first = await Task.WhenAny(receiving, sending);
        }

        var end = await first;
        await _session.CancelAsync();
        await Task.WhenAll(receiving, sending, registering);
        await _dispatcher.DrainAsync();
        return end!.Value;
    }

    /// <summary>Sends what is queued, says goodbye, and lets <see cref="RunAsync"/> end.</summary>
    public void Finish() => _queue.Finish();

    /// <summary>Ends <see cref="RunAsync"/> at once.</summary>
    public void Abort() => _session.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _socket.DisposeAsync();
        _session.Dispose();
    }

    private async Task<SessionEnd?> GuardAsync(Func<CancellationToken, Task<SessionEnd?>> loop)
    {
        try
        {
            return await loop(_session.Token);
        }
        catch (OperationCanceledException) when (_session.IsCancellationRequested)
        {
            return new SessionEnd(SessionEndReason.Stopped, "stopped");
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // A WebSocket that gets no PONG in time cancels its reads and writes.
            return new SessionEnd(SessionEndReason.Lost, exception.InnerException?.Message ?? exception.Message);
        }
        catch (Exception exception)
        {
            Log.Faulted(_logger, exception);
            return new SessionEnd(SessionEndReason.Lost, $"the session failed: {exception.GetType().Name}");
        }
    }

    private async Task<SessionEnd?> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _queue.WaitForRoomAsync(cancellationToken);
            if (await _socket.ReceiveAsync(cancellationToken) is not { } frame)
            {
                return new SessionEnd(SessionEndReason.Closed, _socket.CloseReason);
            }

            Handle(frame);
        }
    }

    private void Handle(ReceivedFrame frame)
    {
        if (frame.Oversize is { } oversize)
        {
            frame.Dispose();
            NoteRequest(oversize.Id);
            _dispatcher.Refuse(oversize);
            return;
        }

        if (JsonRpcReader.Read(frame.Bytes, out var message) is { } problem)
        {
            Log.Garbage(_logger, frame.Length, problem);
            frame.Dispose();
            return;
        }

        var isRequest = message.Id.IsPresent && !message.Result.IsPresent && !message.Error.IsPresent;
        if (message.Method.IsPresent || isRequest)
        {
            if (message.Id.Kind is JsonTokenType.String or JsonTokenType.Number)
            {
                NoteRequest(message.ReadId());
            }

            _dispatcher.Dispatch(message, frame);
            return;
        }

        HandleResponse(message);
        frame.Dispose();
    }

    private void HandleResponse(in ReceivedMessage message)
    {
        if (message.String(message.Id) != RegisterId)
        {
            Log.UnknownResponse(_logger);
        }
        else if (message.Error.IsPresent)
        {
            _registered.TrySetResult(JsonRpcReader.ReadErrorMessage(message.Bytes(message.Error)) ?? "an error without a message");
        }
        else
        {
            // Before the next frame is read, which may start a run.
            _telemetry.Registered(message.Result.IsPresent ? JsonRpcReader.ReadTelemetryServerUrl(message.Bytes(message.Result)) : null);
            _registered.TrySetResult(null);
        }
    }

    private void NoteRequest(RequestId? id) => Act(_identity.Received(id?.Number));

    private void Act(ManagerIdentity.Verdict verdict)
    {
        switch (verdict)
        {
            case ManagerIdentity.Verdict.Same when _pendingRequests.Resume(_queue) is > 0 and var resumed:
                Log.Resumed(_logger, resumed);
                break;
            case ManagerIdentity.Verdict.Restarted when _pendingRequests.Drop() is > 0 and var dropped:
                Log.Dropped(_logger, dropped);
                break;
        }
    }

    private async Task<SessionEnd?> RegisterAsync(
        Func<CancellationToken, Task<Registration>> source,
        TimeSpan timeout,
        Action<Registration> onRegistered,
        CancellationToken cancellationToken)
    {
        var registration = await source(cancellationToken);
        _queue.Add(frame => JsonRpcWriter.Register(frame, RegisterId, registration));
        try
        {
            if (await _registered.Task.WaitAsync(timeout, _time, cancellationToken) is { } refusal)
            {
                return new SessionEnd(SessionEndReason.NotRegistered, $"the manager refused the registration: {refusal}");
            }
        }
        catch (TimeoutException)
        {
            return new SessionEnd(
                SessionEndReason.NotRegistered,
                $"the manager did not answer the registration within {timeout.TotalSeconds:0.#} s (--register-timeout), which Genkit's Reflection API v2 port would");
        }

        onRegistered(registration);
        await Task.Delay(s_identityWait, _time, cancellationToken);
        Act(_identity.Waited());
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "A message of {Length} bytes from the manager was ignored: {Problem}", EventName = "InvalidMessageIgnored")]
        public static partial void Garbage(ILogger logger, long length, string problem);

        [LoggerMessage(LogLevel.Warning, "A response from the manager was ignored: no request of that id waits for one", EventName = "UnknownResponseIgnored")]
        public static partial void UnknownResponse(ILogger logger);

        [LoggerMessage(LogLevel.Information, "{Count} runs go on with the manager that asked for them", EventName = "RunsResumed")]
        public static partial void Resumed(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "{Count} runs were cancelled: the manager that asked for them is gone, another one is there", EventName = "RunsOfReplacedManagerCancelled")]
        public static partial void Dropped(ILogger logger, int count);

        [LoggerMessage(LogLevel.Error, "The connection to the manager failed inside the sidecar", EventName = "ManagerSessionFaulted")]
        public static partial void Faulted(ILogger logger, Exception exception);
    }
}
