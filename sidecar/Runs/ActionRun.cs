using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Metrics;
using Genkit.Sidecar.Telemetry;
using Grpc.Core;

namespace Genkit.Sidecar.Runs;

/// <summary>
/// One run of an action: started, fed, cancelled and ended here, for every endpoint. It knows no endpoint and no
/// connection, only its outbox. The first of result, failure and cancel decides how it ends; whatever comes after goes nowhere.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "See _stop")]
internal sealed partial class ActionRun
{
    /// <summary>
    /// After the result the application gets this long to close the call by itself; then it is reset. Its answer has been sent by then.
    /// </summary>
    private static readonly TimeSpan s_statusGrace = TimeSpan.FromSeconds(1);

    private readonly RunRequest _request;
    private readonly LimitSettings _limits;
    private readonly RunMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>Not disposed, as it has no timer and may be cancelled at any moment, also after the run's end.</summary>
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _lastWord = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Tracer? _tracer;

    /// <summary>Null if there is no telemetry server.</summary>
    private readonly RootSpan? _span;
    private readonly long _startedAt;
    private int _decided;

    public ActionRun(RunRequest request, LimitSettings limits, RunMetrics metrics, Tracer? tracer, TimeProvider time, ILogger logger)
    {
        _request = request;
        _limits = limits;
        _metrics = metrics;
        _tracer = tracer;
        _time = time;
        _logger = logger;
        Trace = TraceContext.Create();
        Input = request.StreamInput ? new RunInput(limits.MaxInputQueueBytes) : null;
        _startedAt = time.GetTimestamp();

        // Here, as the request's memory is given back whenever the call is over.
        _span = tracer?.Start(new RootSpanStart(Trace, request.Key)
        {
            Input = request.Input,
            Init = request.Init,
            Context = request.Context,
            Labels = request.TelemetryLabels,
        });
        metrics.Started(Length(request.Input) + Length(request.Init) + Length(request.Context));
        Outbox.Post(RunEvent.Started);
    }

    public TraceContext Trace { get; }

    public string TraceId => Trace.TraceId;

    public string Key => _request.Key;

    /// <summary>Whether it is decided how the run ends; its call may be open for a moment longer.</summary>
    public bool HasEnded => Volatile.Read(ref _decided) != 0;

    /// <summary>Completes when the run's last event is in its outbox. If the run waits for its trace, that is a moment after its end is decided.</summary>
    public Task LastWord => _lastWord.Task;

    public RunOutbox Outbox { get; } = new();

    /// <summary>Where input chunks go; null if the input came with the request.</summary>
    public RunInput? Input { get; }

    /// <summary>Ends the run with a failure and cancels its call. False if it had ended already.</summary>
    /// <param name="failure">How it ends.</param>
    /// <param name="beforeItEnds">Called before the last event is posted, if this ends the run.</param>
    public bool TryFail(ActionFailure failure, Action? beforeItEnds = null)
    {
        var patience = failure.Code == StatusCode.Cancelled ? _tracer?.CancelledWait : _tracer?.Wait;
        return TryFail(failure, patience, beforeItEnds);
    }

    /// <summary>Feeds the run. Past the bound the run fails, naming the limit.</summary>
    public void AddInput(in ReadOnlySequence<byte> chunk)
    {
        switch (Input?.Add(chunk) ?? RunInput.AddResult.Ended)
        {
            case RunInput.AddResult.Added:
                _metrics.InputChunk(chunk.Length);
                break;
            case RunInput.AddResult.Full:
                TryFail(new ActionFailure(
                    StatusCode.ResourceExhausted,
                    $"The application has not taken {Input!.LimitBytes} bytes of streamed input yet and more came: it reads too slowly, or --max-input-queue-bytes is too small"));
                break;
            case RunInput.AddResult.Ended:
                Log.LateInput(_logger, TraceId);
                break;
        }
    }

    /// <summary>Stops the run, whose outbox is no longer read, and frees what it holds.</summary>
    public void Abandon()
    {
        // First, so that not even the failure is read any more.
        Outbox.Abandon();
        TryFail(ActionFailure.Cancelled, TimeSpan.Zero, beforeItEnds: null);
    }

    /// <summary>Runs the action to its end, until its last event is in the outbox. Never throws.</summary>
    public async Task ExecuteAsync(ApplicationClient application)
    {
        try
        {
            await using var call = application.StartRun(_request, Trace.TraceParent, Trace.TraceState, _stop.Token);
            var feeding = Input is null ? Task.CompletedTask : FeedAsync(call, Input);
            try
            {
                await RelayAsync(call);
            }
            finally
            {
                Input?.Complete();
                call.Cancel();
                await feeding;
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            TryFail(ActionFailure.Cancelled);
        }
        catch (Exception exception)
        {
            Log.Faulted(_logger, exception, TraceId, Key);
            TryFail(new ActionFailure(StatusCode.Internal, $"The sidecar failed while it ran {Key}: {exception.GetType().Name}. Its log has the details"));
        }
        finally
        {
            Input?.Complete();
        }

        await LastWord;
    }

    private static long Length(in ReadOnlySequence<byte>? payload) => payload?.Length ?? 0;

    /// <summary>True once: for the one who says how the run ends.</summary>
    private bool TryDecide(StatusCode code)
    {
        if (Interlocked.Exchange(ref _decided, 1) != 0)
        {
            return false;
        }

        _tracer?.End(TraceId);
        _metrics.Ended(Key, GrpcStatusName.Of(code), _time.GetElapsedTime(_startedAt));
        return true;
    }

    private bool TryFail(ActionFailure failure, TimeSpan? patience, Action? beforeItEnds)
    {
        if (!TryDecide(failure.Code))
        {
            return false;
        }

        beforeItEnds?.Invoke();
        SayFailure(failure, patience);
        Input?.Complete();
        _stop.Cancel();
        return true;
    }

    private void SayFailure(ActionFailure failure, TimeSpan? patience)
    {
        var last = RunEvent.Failed(failure);
        var traced = _span?.FailAsync(new SpanFailure(GrpcStatusName.Of(failure.Code), failure.Message, failure.Stack), patience ?? TimeSpan.Zero);
        if (traced is null or { IsCompleted: true })
        {
            SayLast(last);
        }
        else
        {
            _ = SayLastAfterAsync(traced, last);
        }
    }

    private async Task SayLastAfterAsync(Task traced, RunEvent last)
    {
        await traced;
        SayLast(last);
    }

    private void SayLast(in RunEvent last)
    {
        Outbox.Post(last);
        _lastWord.TrySetResult();
    }

    private async Task FeedAsync(RunActionCall call, RunInput input)
    {
        try
        {
            while (await input.ReadAsync(_stop.Token) is { } chunk)
            {
                await call.WriteChunkAsync(chunk, _stop.Token);
            }

            await call.CompleteInputAsync();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The run has ended; input that is left goes nowhere.
        }
    }

    private async Task RelayAsync(RunActionCall call)
    {
        while (await call.ReadAsync(_stop.Token) is { } received)
        {
            using var owner = received;
            var update = received.Update;
            switch (update.Kind)
            {
                case RunUpdateKind.State when update.AliasTraceId is { Length: > 0 } alias:
                    _tracer?.AddAlias(TraceId, alias);
                    break;
                case RunUpdateKind.Chunk when !await RelayChunkAsync(received):
                    return;
                case RunUpdateKind.Result:
                    await EndWithResultAsync(received);
                    await AwaitStatusAsync(call, StatusCode.OK);
                    return;
                case RunUpdateKind.Error:
                    EndWithFailure(update.Failure!);
                    await AwaitStatusAsync(call, update.Failure!.Code);
                    return;
            }
        }

        EndWithFailure(call.Failure
            ?? new ActionFailure(StatusCode.Internal, $"The application's {call.RpcName} ended without a result"));
    }

    /// <returns>False if the run has ended.</returns>
    private async ValueTask<bool> RelayChunkAsync(ReceivedUpdate received)
    {
        if (!_request.Stream)
        {
            return true;
        }

        var chunk = received.Update.Payload!.Value;
        if (FindDefect("chunk", chunk) is { } failure)
        {
            EndWithFailure(failure);
            return false;
        }

        // The reader of the outbox releases the payload, so its length is needed now.
        var length = chunk.Length;
        if (!await Outbox.WriteAsync(RunEvent.WithPayload(RunEventKind.Chunk, received.TakePayload())))
        {
            return false;
        }

        _metrics.OutputChunk(length);
        return true;
    }

    private async ValueTask EndWithResultAsync(ReceivedUpdate received)
    {
        var result = received.Update.Payload;
        if (result is { } payload && FindDefect("result", payload) is { } failure)
        {
            EndWithFailure(failure);
            return;
        }

        if (TryDecide(StatusCode.OK))
        {
            _metrics.Result(Length(result));
            if (_span is not null)
            {
                await _span.SucceedAsync(result, _tracer!.Wait);
            }

            SayLast(RunEvent.WithPayload(RunEventKind.Result, received.TakePayload()));
        }
    }

    private void EndWithFailure(ActionFailure failure)
    {
        if (failure.DetailsDefect is { } defect)
        {
            Log.BadDetails(_logger, TraceId, defect);
        }

        if (TryDecide(failure.Code))
        {
            SayFailure(failure, _tracer?.Wait);
        }
    }

    /// <summary>Lets the application close the call, and logs messages that it sends after the last event.</summary>
    private async Task AwaitStatusAsync(RunActionCall call, StatusCode told)
    {
        using var grace = new CancellationTokenSource(s_statusGrace, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(grace.Token, _stop.Token);
        try
        {
            var extra = 0;
            while (await call.ReadAsync(either.Token) is { } received)
            {
                received.Dispose();
                extra++;
            }

            if (extra > 0)
            {
                Log.MessagesAfterEnd(_logger, TraceId, extra);
            }

            if (call.StatusCode is { } code && code != told && code != StatusCode.OK)
            {
                Log.DifferentStatus(_logger, TraceId, told, code);
            }
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            Log.CallReset(_logger, TraceId);
        }
    }

    private ActionFailure? FindDefect(string what, in ReadOnlySequence<byte> payload)
    {
        if (payload.Length > _limits.MaxFrameBytes)
        {
            return new ActionFailure(
                StatusCode.ResourceExhausted,
                $"The {what} of {Key} has {payload.Length} bytes, over the limit of {_limits.MaxMessageBytes} that --max-message-bytes sets")
            { IsForOperator = true };
        }

        return JsonPayload.FindDefect(payload, out _) is { } defect
            ? new ActionFailure(StatusCode.Internal, $"The application sent a {what}_json that is not one JSON value: {defect}") { IsForOperator = true }
            : null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Run {TraceId}: input for a run that takes none any more was ignored", EventName = "LateInputIgnored")]
        public static partial void LateInput(ILogger logger, string traceId);

        [LoggerMessage(LogLevel.Warning, "Run {TraceId}: the application sent {Count} more messages after the run's end; they were ignored", EventName = "MessagesAfterEndIgnored")]
        public static partial void MessagesAfterEnd(ILogger logger, string traceId, int count);

        [LoggerMessage(LogLevel.Warning, "Run {TraceId}: the application ended the run with {Told} and the call with {Status}; the first counts", EventName = "RunStatusMismatch")]
        public static partial void DifferentStatus(ILogger logger, string traceId, StatusCode told, StatusCode status);

        [LoggerMessage(LogLevel.Debug, "Run {TraceId}: the call was still open after the run's end and was reset", EventName = "RunCallReset")]
        public static partial void CallReset(ILogger logger, string traceId);

        [LoggerMessage(LogLevel.Warning, "Run {TraceId}: details_json of the application's error was left out: {Defect}", EventName = "ErrorDetailsIgnored")]
        public static partial void BadDetails(ILogger logger, string traceId, string defect);

        [LoggerMessage(LogLevel.Error, "Run {TraceId} of {Key} failed inside the sidecar", EventName = "RunFaulted")]
        public static partial void Faulted(ILogger logger, Exception exception, string traceId, string key);
    }
}
