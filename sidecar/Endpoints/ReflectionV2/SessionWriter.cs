using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Endpoints.ReflectionV2;

/// <summary>
/// The one writer of a session's socket. It takes answers and runs from the queue for as long as there are any, and adds their messages to one batch.
/// </summary>
/// <param name="socket">Where frames go.</param>
/// <param name="queue">Where they come from.</param>
/// <param name="limits">What is too large to be sent.</param>
/// <param name="onAnswered">Called for each run whose last event has been sent.</param>
internal sealed class SessionWriter(ManagerSocket socket, OutgoingQueue queue, LimitSettings limits, Action<PendingRequest> onAnswered)
{
    /// <summary>A run's turn: enough for many small chunks in one write, short enough that others hardly wait.</summary>
    private const int TurnBytes = 16 * 1024;

    private readonly OutgoingFrame _frame = new();
    private readonly FrameBatch _batch = new(socket, onAnswered);

    /// <summary>Sends until the queue is finished, and then says goodbye.</summary>
    public async Task<SessionEnd?> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await queue.WaitAsync(cancellationToken);
                await SendAnswersAsync(cancellationToken);
                while (queue.TryTakeRun(out var pending))
                {
                    await SendTurnAsync(pending!, cancellationToken);
                    await SendAnswersAsync(cancellationToken);
                }

                await _batch.SendAsync(cancellationToken);
                if (queue.IsFinished)
                {
                    await socket.CloseAsync(cancellationToken);
                    return new SessionEnd(SessionEndReason.Stopped, "stopped");
                }
            }
        }
        finally
        {
            _batch.Return();
        }
    }

    private async ValueTask SendAnswersAsync(CancellationToken cancellationToken)
    {
        while (queue.TryTakeAnswer(out var answer))
        {
            answer!(_frame);
            await _batch.AddAsync(_frame, isEvent: false, cancellationToken);
            _frame.Clear();
        }
    }

    private async ValueTask SendTurnAsync(PendingRequest pending, CancellationToken cancellationToken)
    {
        for (long added = 0; added < TurnBytes;)
        {
            if (!pending.Run.Outbox.TryRead(out var runEvent))
            {
                return;
            }

            _batch.Take(pending, runEvent);
            if (runEvent.EndsRun)
            {
                // The answer to a cancel was queued before the run's last event, but this turn may have begun before both.
                await SendAnswersAsync(cancellationToken);
            }

            Write(pending, runEvent);
            await _batch.AddAsync(_frame, isEvent: true, cancellationToken);
            added += _frame.Length;
            _frame.Clear();
        }

        queue.Announce(pending);
    }

    private void Write(PendingRequest pending, in RunEvent runEvent)
    {
        switch (runEvent.Kind)
        {
            case RunEventKind.Started:
                JsonRpcWriter.RunActionState(_frame, pending.Request, pending.Run.TraceId);
                break;
            case RunEventKind.Chunk:
                JsonRpcWriter.StreamChunk(_frame, pending.Request, runEvent.Payload!.Value);
                break;
            case RunEventKind.Result:
                JsonRpcWriter.RunActionResult(_frame, pending.Request, runEvent.Payload, pending.Run.TraceId);
                break;
            default:
                WriteFailure(pending, runEvent.Failure!);
                break;
        }
    }

    private void WriteFailure(PendingRequest pending, ActionFailure failure)
    {
        JsonRpcWriter.Error(_frame, pending.Request, JsonRpcErrorCode.ServerError, failure, pending.Run.TraceId);
        if (_frame.Length > limits.MaxFrameBytes)
        {
            var length = _frame.Length;
            _frame.Clear();
            JsonRpcWriter.Error(
                _frame,
                pending.Request,
                JsonRpcErrorCode.ServerError,
                new ActionFailure(failure.Code, $"{pending.Run.Key} failed, and its error has {length} bytes, over the limit of {limits.MaxMessageBytes} that --max-message-bytes sets"),
                pending.Run.TraceId);
        }
    }
}
