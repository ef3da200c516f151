using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.JsonRpc;
using Grpc.Core;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// The calls of one session that ask the application for its actions and values. They run beside the receive loop and answer when
/// the application has; what is left of them ends with the session.
/// </summary>
internal sealed partial class Listings(
    OutgoingQueue queue,
    ApplicationClient application,
    ILogger logger,
    CancellationToken sessionToken)
{
    /// <summary>The tools ask twice a second and give up after 30 s.</summary>
    private const int MaxCalls = 256;

    private static readonly byte[] s_actions = "actions"u8.ToArray();
    private static readonly byte[] s_values = "values"u8.ToArray();

    private readonly Lock _gate = new();
    private readonly HashSet<Task> _calls = [];

    public void ListActions(RequestId id) => Start(id, async () =>
    {
        var answer = await application.ListActionsAsync(sessionToken);
        Answer(id, s_actions, answer.Value?.Map, answer.Failure);
    });

    public void ListValues(RequestId id, string type) => Start(id, async () =>
    {
        var answer = await application.ListValuesAsync(type, sessionToken);
        Answer(id, s_values, answer.Value?.Json, answer.Failure);
    });

    /// <summary>Waits for the calls that still run.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            return Task.WhenAll(_calls);
        }
    }

    private void Answer(RequestId id, byte[] member, ReadOnlyMemory<byte>? listing, ActionFailure? failure)
    {
        if (listing is { } json)
        {
            queue.Add(frame => JsonRpcWriter.Result(frame, id, member, new ReadOnlySequence<byte>(json)));
        }
        else
        {
            queue.AddError(id, JsonRpcErrorCode.ServerError, failure!);
        }
    }

    private void Start(RequestId id, Func<Task> call)
    {
        lock (_gate)
        {
            _calls.RemoveWhere(task => task.IsCompleted);
            if (_calls.Count < MaxCalls)
            {
                _calls.Add(GuardAsync(id, call));
                return;
            }
        }

        queue.AddError(id, JsonRpcErrorCode.ServerError, new ActionFailure(
            StatusCode.ResourceExhausted,
            $"{MaxCalls} listings are under way: the application answers them too slowly"));
    }

    private async Task GuardAsync(RequestId id, Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (OperationCanceledException) when (sessionToken.IsCancellationRequested)
        {
            // The session has ended, so the request has no receiver.
        }
        catch (Exception exception)
        {
            Log.Faulted(logger, exception, id.Text);
            queue.AddError(id, JsonRpcErrorCode.ServerError, new ActionFailure(
                StatusCode.Internal,
                $"The sidecar failed: {exception.GetType().Name}. Its log has the details"));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Request {RequestId} failed inside the sidecar", EventName = "ListingFaulted")]
        public static partial void Faulted(ILogger logger, Exception exception, string requestId);
    }
}
