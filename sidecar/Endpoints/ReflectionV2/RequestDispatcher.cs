using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Telemetry;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// One session's methods. Called by the receive loop for one frame after the other and never waits for the application: what takes
/// time answers later through the queue. Every request with an id gets one answer.
/// </summary>
internal sealed partial class RequestDispatcher(
    OutgoingQueue queue,
    PendingRequests pendingRequests,
    ActiveRuns runs,
    ApplicationClient application,
    LimitSettings limits,
    TelemetryServer telemetry,
    ILogger logger,
    CancellationToken sessionToken)
{
    private static readonly ReadOnlySequence<byte> s_cancelled = new("\"Action cancelled\""u8.ToArray());

    private readonly Listings _listings = new(queue, application, logger, sessionToken);

    /// <summary>
    /// Runs with streamed input, by request id. Entered by the receive loop before anything yields, so that an input chunk that
    /// comes next finds its run.
    /// </summary>
    private readonly ConcurrentDictionary<string, PendingRequest> _inputs = new();

    /// <summary>Handles a request or notification and takes the frame over.</summary>
    public void Dispatch(in ReceivedMessage message, ReceivedFrame frame)
    {
        var keepFrame = false;
        try
        {
            if (!TryReadId(message, out var id))
            {
                queue.Add(outgoing => JsonRpcWriter.Error(
                    outgoing,
                    null,
                    JsonRpcErrorCode.InvalidRequest,
                    new ActionFailure(StatusCode.InvalidArgument, "Invalid Request: id must be a string or a number"),
                    null));
                return;
            }

            keepFrame = Dispatch(message, id, frame);
        }
        finally
        {
            if (!keepFrame)
            {
                frame.Dispose();
            }
        }
    }

    /// <summary>Refuses what was too large to keep: an answer where there is an id, the end of the run where it was input.</summary>
    public void Refuse(OversizeMessage oversize)
    {
        Log.Oversize(logger, oversize.Length, limits.MaxMessageBytes);
        var failure = new ActionFailure(
            StatusCode.ResourceExhausted,
            $"The message has {oversize.Length} bytes, over the limit of {limits.MaxMessageBytes} that --max-message-bytes sets");
        if (oversize.Id is { } id)
        {
            queue.AddError(id, JsonRpcErrorCode.ServerError, failure);
        }

        if (oversize.RequestId is { } requestId && _inputs.TryGetValue(requestId.Text, out var pending))
        {
            pending.Run.TryFail(failure);
        }
    }

    /// <summary>Forgets a run whose answer has been sent.</summary>
    public void Completed(PendingRequest pending)
    {
        pendingRequests.Remove(pending);
        if (pending.Run.Input is not null)
        {
            // Removes its own entry only: a manager that uses an id twice at one time has put the second run there.
            _inputs.TryRemove(KeyValuePair.Create(pending.Request.Text, pending));
        }
    }

    /// <summary>Waits for the listings that are under way. The session's token has ended them.</summary>
    public Task DrainAsync() => _listings.DrainAsync();

    private static bool TryReadId(in ReceivedMessage message, out RequestId? id)
    {
        id = message.Id.Kind is JsonTokenType.String or JsonTokenType.Number ? message.ReadId() : null;
        return id is not null || !message.Id.IsPresent;
    }

    /// <returns>Whether a run has taken the frame over.</returns>
    private bool Dispatch(in ReceivedMessage message, RequestId? id, ReceivedFrame frame)
    {
        if (message.UnknownMembers > 0)
        {
            Log.UnknownMembers(logger, message.UnknownMembers);
        }

        var method = message.String(message.Method);
        switch (method)
        {
            case "runAction" when id is { } request:
                return RunAction(message, request, frame);
            case "cancelAction" when id is { } request:
                CancelAction(message, request);
                break;
            case "listActions" when id is { } request:
                _listings.ListActions(request);
                break;
            case "listValues" when id is { } request:
                ListValues(message, request);
                break;
            case "sendInputStreamChunk":
                SendInputStreamChunk(message, id);
                break;
            case "endInputStream":
                EndInputStream(message, id);
                break;
            case "configure":
                Configure(message, id);
                break;
            case "runAction" or "cancelAction" or "listActions" or "listValues":
                Log.RequestWithoutId(logger, method);
                break;
            case null when id is { } request:
                queue.AddError(request, JsonRpcErrorCode.InvalidRequest, new ActionFailure(StatusCode.InvalidArgument, "Invalid Request: method must be a string"));
                break;
            case not null when id is { } request:
                queue.AddError(request, JsonRpcErrorCode.MethodNotFound, new ActionFailure(StatusCode.Unimplemented, $"Method not found: {Cut(method)}"));
                break;
            default:
                Log.UnknownNotification(logger, Shortened(method));
                break;
        }

        return false;
    }

    private bool RunAction(in ReceivedMessage message, RequestId id, ReceivedFrame frame)
    {
        if (RunActionParams.Read(message, frame, out var request) is { } problem)
        {
            AddInvalidParams(id, $"params{(message.Params.Kind == JsonTokenType.StartObject ? "." : ": ")}{problem}");
            return false;
        }

        var pending = new PendingRequest(id, runs.Start(request!));
        if (pending.Run.Input is not null)
        {
            _inputs[id.Text] = pending;
        }

        pendingRequests.Add(pending, queue);
        return true;
    }

    private void CancelAction(in ReceivedMessage message, RequestId id)
    {
        if (message.String(message.TraceId) is not { } traceId)
        {
            AddInvalidParams(id, "params.traceId: a string is required");
            return;
        }

        // Queued before the run says that it was cancelled, and answers overtake runs: so the caller hears this first.
        if (!runs.TryCancel(traceId, beforeItEnds: () => queue.Add(frame => JsonRpcWriter.Result(frame, id, "message"u8, s_cancelled))))
        {
            queue.AddError(id, JsonRpcErrorCode.InvalidParams, new ActionFailure(StatusCode.NotFound, "Action not found or already completed"));
        }
    }

    private void ListValues(in ReceivedMessage message, RequestId id)
    {
        if (message.String(message.Type) is not { } type)
        {
            AddInvalidParams(id, "params.type: a string is required");
        }
        else if (!ApplicationClient.IsValueType(type))
        {
            AddInvalidParams(id, $"'type' {Cut(type)} is not supported. Only 'defaultModel' and 'middleware' are supported");
        }
        else
        {
            _listings.ListValues(id, type);
        }
    }

    private void SendInputStreamChunk(in ReceivedMessage message, RequestId? id)
    {
        if (FindInput(message, id) is not { } pending)
        {
            return;
        }

        if (!message.Chunk.IsPresent)
        {
            // JSON.stringify leaves an undefined chunk out. There is nothing to hand on, and no way to say "nothing" in JSON.
            Log.InputWithoutChunk(logger, pending.Run.TraceId);
            return;
        }

        pending.Run.AddInput(message.Bytes(message.Chunk));
    }

    private void EndInputStream(in ReceivedMessage message, RequestId? id) => FindInput(message, id)?.Run.Input!.Complete();

    private PendingRequest? FindInput(in ReceivedMessage message, RequestId? id)
    {
        if (message.RequestId.Kind is not (JsonTokenType.String or JsonTokenType.Number))
        {
            if (id is { } request)
            {
                AddInvalidParams(request, "params.requestId: a string is required");
            }

            Log.InputWithoutRequest(logger);
            return null;
        }

        if (id is { } answered)
        {
            queue.Add(frame => JsonRpcWriter.EmptyResult(frame, answered));
        }

        var requestId = new RequestId(message.Bytes(message.RequestId).ToArray()).Text;
        if (_inputs.TryGetValue(requestId, out var pending))
        {
            return pending;
        }

        Log.InputForUnknownRequest(logger, Shortened(requestId));
        return null;
    }

    private void Configure(in ReceivedMessage message, RequestId? id)
    {
        var valid = message.TelemetryServerUrl.Kind is JsonTokenType.None or JsonTokenType.String;
        if (!valid)
        {
            Log.BadConfigure(logger);
        }
        else if (message.String(message.TelemetryServerUrl) is { } url)
        {
            telemetry.Configured(url);
        }

        if (id is { } request)
        {
            if (valid)
            {
                queue.Add(frame => JsonRpcWriter.EmptyResult(frame, request));
            }
            else
            {
                AddInvalidParams(request, "params.telemetryServerUrl: must be a string");
            }
        }
    }

    private void AddInvalidParams(RequestId id, string problem) =>
        queue.AddError(id, JsonRpcErrorCode.InvalidParams, new ActionFailure(StatusCode.InvalidArgument, problem));

    /// <summary>Text of a peer for its own answer: no longer than an answer needs.</summary>
    private static string Cut(string text) => text.Length <= 256 ? text : string.Concat(text.AsSpan(0, 256), "…");

    /// <summary>Text of a peer for the log: short enough, on one line.</summary>
    private static string Shortened(string? text) =>
        text is null ? "" : string.Concat(text.Take(64).Select(character => char.IsControl(character) ? ' ' : character));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "{Count} members of a message are unknown and were ignored", EventName = "UnknownMembersIgnored")]
        public static partial void UnknownMembers(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "{Method} came without an id and was ignored, because it could not be answered", EventName = "RequestWithoutIdIgnored")]
        public static partial void RequestWithoutId(ILogger logger, string method);

        [LoggerMessage(LogLevel.Warning, "Notification {Method} is unknown and was ignored", EventName = "UnknownNotificationIgnored")]
        public static partial void UnknownNotification(ILogger logger, string method);

        [LoggerMessage(LogLevel.Warning, "An input message without requestId was ignored", EventName = "InputWithoutRequestIdIgnored")]
        public static partial void InputWithoutRequest(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "Input for request {RequestId} was ignored: no run with streamed input is active under that id", EventName = "InputForUnknownRequestIgnored")]
        public static partial void InputForUnknownRequest(ILogger logger, string requestId);

        [LoggerMessage(LogLevel.Warning, "Run {TraceId}: sendInputStreamChunk without a chunk was ignored", EventName = "InputWithoutChunkIgnored")]
        public static partial void InputWithoutChunk(ILogger logger, string traceId);

        [LoggerMessage(LogLevel.Warning, "configure was ignored: params.telemetryServerUrl must be a string", EventName = "InvalidConfigureIgnored")]
        public static partial void BadConfigure(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "A message of {Length} bytes was refused: the limit is {Limit} (--max-message-bytes)", EventName = "OversizeMessageRefused")]
        public static partial void Oversize(ILogger logger, long length, long limit);
    }
}
