using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Client;

/// <summary>One run of an action, from its start to the result or error that ends it.</summary>
internal sealed partial class Run : IDisposable
{
    private readonly Application _application;
    private readonly ServerCallContext _call;
    private readonly CancellationToken _aborted;
    private readonly string _key;
    private readonly ILogger _logger;
    private readonly UpdateWriter _updates;

    // The call's token is not cancelled when the server stops, and must not be used by code that outlives the run.
    private readonly CancellationTokenSource _cancelled = new();
    private readonly CancellationTokenRegistration _byCaller;
    private readonly CancellationTokenRegistration _byStop;

    /// <param name="application">The application that has the action.</param>
    /// <param name="call">The call that the run belongs to.</param>
    /// <param name="key">Key of the action.</param>
    /// <param name="write">Writes one update. The flag tells whether it is the last.</param>
    /// <param name="logger">Logs failures other than <see cref="ActionError"/>.</param>
    /// <param name="stopping">Cancels the run when the server stops.</param>
    public Run(Application application, ServerCallContext call, string key, Func<V1.RunActionResponse, bool, Task> write, ILogger logger, CancellationToken stopping)
    {
        (_application, _call, _key, _logger) = (application, call, key, logger);
        _aborted = call.GetHttpContext().RequestAborted;
        _updates = new UpdateWriter(write, key, _cancelled.Token);
        _byCaller = call.CancellationToken.UnsafeRegister(static run => ((Run)run!).Cancel(), this);
        _byStop = stopping.UnsafeRegister(static run => ((Run)run!).Cancel(), this);
    }

    /// <summary>
    /// Whether the call is cancelled. Checks more than the token, because gRPC refuses reads and writes before the callbacks of the token have run.
    /// </summary>
    private bool IsCancelled =>
        _cancelled.IsCancellationRequested || _call.CancellationToken.IsCancellationRequested || _aborted.IsCancellationRequested
        || _call.Deadline <= TimeProvider.System.GetUtcNow().UtcDateTime;

    /// <summary>Runs the action.</summary>
    /// <param name="start">The request that starts the run.</param>
    /// <param name="requests">Streamed input, or null if the call has none.</param>
    /// <exception cref="RpcException">The call ends with this status: the run was cancelled, or the handler threw the exception.</exception>
    public async Task ServeAsync(V1.RunActionRequest start, IAsyncStreamReader<V1.RunBidiActionRequest>? requests)
    {
        try
        {
            await InvokeAsync(start, requests).ConfigureAwait(false);
        }
        catch (Exception e) when (IsCancelled)
        {
            // After cancellation, any exception of the handler is a consequence of it and not a failure.
            Log.ActionCancelled(_logger, e, _key);
            throw new RpcException(new Status(StatusCode.Cancelled, "the run was cancelled"));
        }
    }

    public void Dispose()
    {
        _byCaller.Unregister();
        _byStop.Unregister();
        _updates.Dispose();
    }

    private async Task InvokeAsync(V1.RunActionRequest start, IAsyncStreamReader<V1.RunBidiActionRequest>? requests)
    {
        try
        {
            var action = _application.Find(_key) ?? throw new ActionError(StatusCode.NotFound, $"action {_key} not found") { Stack = "" };
            var context = new ActionRunContext(_call, start, _updates, _application.JsonSerializerOptions, _logger, _cancelled.Token);
            context.Enter();
            var chunks = requests is null ? null : ReadChunksAsync(requests);
            var result = await action.Handler.Invoke(context, new RunInput(context.InputJson, chunks, "the input")).ConfigureAwait(false);
            await _updates.ResultAsync(result).ConfigureAwait(false);
        }
        catch (Exception e) when (!IsCancelled)
        {
            // Blocking on a task wraps its exception in an AggregateException.
            var cause = e is AggregateException { InnerExceptions: [var only] } ? only : e;
            if (cause is RpcException)
            {
                // Let an RpcException end the call, so that its trailers reach the caller and interceptors see it.
                ExceptionDispatchInfo.Throw(cause);
            }

            await _updates.ErrorAsync(Failure(e, cause)).ConfigureAwait(false);
        }
    }

    private async IAsyncEnumerable<RawJson> ReadChunksAsync(IAsyncStreamReader<V1.RunBidiActionRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await MoveNextAsync(requests, cancellationToken).ConfigureAwait(false))
        {
            if (requests.Current.HasChunkJson)
            {
                yield return new RawJson(requests.Current.ChunkJson.Memory);
            }
        }
    }

    /// <exception cref="OperationCanceledException">The token is cancelled, or the caller has disconnected.</exception>
    private async Task<bool> MoveNextAsync(IAsyncStreamReader<V1.RunBidiActionRequest> requests, CancellationToken cancellationToken)
    {
        try
        {
            return await requests.MoveNext(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException || (e is InvalidOperationException && IsCancelled))
        {
            Cancel();
            throw new OperationCanceledException("the caller has disconnected", e, _cancelled.Token);
        }
    }

    private void Cancel()
    {
        try
        {
            _cancelled.Cancel();
        }
        catch (AggregateException e)
        {
            // This may run on a timer thread, where an exception would end the process.
            Log.CallbackFailed(_logger, e, _key);
        }
    }

    private V1.ActionError Failure(Exception exception, Exception cause)
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
                cause = exception = new InvalidOperationException($"the details of '{error.Message}' have no JSON representation: {e.Message}", exception);
            }
        }

        var code = CodeOf(cause);
        if (code != StatusCode.Cancelled)
        {
            Log.ActionFailed(_logger, exception, _key);
        }

        return new V1.ActionError { Code = (int)code, Message = code == StatusCode.Cancelled ? "Action was cancelled" : cause.Message, Stack = exception.ToString() };
    }

    private static StatusCode CodeOf(Exception exception) => exception switch
    {
        // HttpClient reports a timeout like this.
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
