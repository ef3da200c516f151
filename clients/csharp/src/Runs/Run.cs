using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Grpc.Server;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary>One run, from its start to the one result or error that ends it.</summary>
internal static partial class Run
{
    /// <summary>Runs an action.</summary>
    /// <param name="application">Whose action.</param>
    /// <param name="call">Whose updates are sent.</param>
    /// <param name="start">What to run.</param>
    /// <param name="chunks">Streamed input; null where the call has none.</param>
    /// <param name="logger">For failures that nobody foresaw.</param>
    /// <param name="stopping">Ends the run, as its caller may.</param>
    /// <returns>How the call ends.</returns>
    public static async Task<GrpcStatus> ServeAsync(
        Application application, GrpcServerCall call, V1.RunActionRequest start, IAsyncEnumerable<RawJson>? chunks, ILogger logger, CancellationToken stopping)
    {
        // A call's own token is cancelled at its good end, too, when nothing is left to cancel.
        var cancelled = new CancellationTokenSource();
        var byCaller = call.CancellationToken.UnsafeRegister(_ => Cancel(cancelled, start.Key, logger), null);
        var byStop = stopping.UnsafeRegister(_ => Cancel(cancelled, start.Key, logger), null);
        using var updates = new UpdateWriter(call, start.Key, cancelled.Token);
        try
        {
            return await InvokeAsync(application, call, start, chunks, updates, logger, cancelled.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (cancelled.IsCancellationRequested)
        {
            // What a handler trips over when its run is over is no fault of its own, whatever it throws.
            Log.ActionCancelled(logger, e, start.Key);
            return new GrpcStatus(GrpcStatusCode.Cancelled, "the run was cancelled");
        }
        finally
        {
            byCaller.Unregister();
            byStop.Unregister();
        }
    }

    private static void Cancel(CancellationTokenSource run, string key, ILogger logger)
    {
        try
        {
            run.Cancel();
        }
        catch (AggregateException e)
        {
            // This may be a timer's thread, where it would end the process.
            Log.CallbackFailed(logger, e, key);
        }
    }

    private static async Task<GrpcStatus> InvokeAsync(
        Application application, GrpcServerCall call, V1.RunActionRequest start, IAsyncEnumerable<RawJson>? chunks, UpdateWriter updates, ILogger logger, CancellationToken cancelled)
    {
        try
        {
            var action = application.Find(start.Key) ?? throw new ActionError(StatusCode.NotFound, $"action {start.Key} not found") { Stack = "" };
            var context = new ActionRunContext(call, start, updates, application.JsonSerializerOptions, logger, cancelled);
            context.Enter();
            var result = await action.Handler.Invoke(context, new RunInput(context.InputJson, chunks, "the input")).ConfigureAwait(false);
            await updates.ResultAsync(result).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancelled.IsCancellationRequested)
        {
            // What a blocking handler has waited for fails inside of another exception.
            var cause = e is AggregateException { InnerExceptions: [var only] } ? only : e;
            if (cause is ActionError { AsStatus: true } status)
            {
                return new GrpcStatus((GrpcStatusCode)status.Code, status.Message);
            }

            await updates.ErrorAsync(Failure(start.Key, e, cause, logger)).ConfigureAwait(false);
        }

        return GrpcStatus.OK;
    }

    private static V1.ActionError Failure(string key, Exception exception, Exception cause, ILogger logger)
    {
        if (cause is ActionError error)
        {
            var told = new V1.ActionError { Code = (int)error.Code, Message = error.Message, Stack = error.Stack ?? exception.ToString() };
            try
            {
                if (error.Details is not null)
                {
                    told.DetailsJson = UnsafeByteOperations.UnsafeWrap(JsonDefaults.Encode(error.Details));
                }

                return told;
            }
            catch (ArgumentException e)
            {
                cause = exception = new InvalidOperationException($"the details of '{error.Message}' have no JSON form: {e.Message}", exception);
            }
        }

        var code = CodeOf(cause);
        if (code != StatusCode.Cancelled)
        {
            Log.ActionFailed(logger, exception, key);
        }

        return new V1.ActionError { Code = (int)code, Message = code == StatusCode.Cancelled ? "Action was cancelled" : cause.Message, Stack = exception.ToString() };
    }

    private static StatusCode CodeOf(Exception exception) => exception switch
    {
        // As HttpClient says that its time ran out.
        TimeoutException or OperationCanceledException { InnerException: TimeoutException } => StatusCode.DeadlineExceeded,
        OperationCanceledException => StatusCode.Cancelled,
        NotImplementedException => StatusCode.Unimplemented,
        _ => StatusCode.Internal,
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The action {Key} failed")]
        public static partial void ActionFailed(ILogger logger, Exception exception, string key);

        [LoggerMessage(LogLevel.Debug, "The action {Key} ended after its run was cancelled")]
        public static partial void ActionCancelled(ILogger logger, Exception exception, string key);

        [LoggerMessage(LogLevel.Error, "A callback on the cancellation of {Key} failed")]
        public static partial void CallbackFailed(ILogger logger, Exception exception, string key);
    }
}
