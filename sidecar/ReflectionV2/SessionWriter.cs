using Genkit.Sidecar.Application;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.ReflectionV2;

/// <summary>
/// The one writer of a session's socket. It takes answers and runs from the queue for as long as there are any, in one burst, and
/// encodes each frame when its turn comes.
/// </summary>
/// <param name="socket">Where frames go.</param>
/// <param name="queue">Where they come from.</param>
/// <param name="limits">What is too large to be sent.</param>
/// <param name="onAnswered">Told of each run whose last word has been taken.</param>
internal sealed class SessionWriter(ManagerSocket socket, OutgoingQueue queue, RunLimits limits, Action<PendingRun> onAnswered)
{
    /// <summary>A run's turn: enough for a burst of small chunks in one write, short enough that others hardly wait.</summary>
    private const int TurnBytes = 16 * 1024;

    private readonly OutgoingFrame _frame = new();

    /// <summary>Sends until the queue is finished, and then says goodbye.</summary>
    public async Task<SessionEnd?> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await queue.WaitAsync(cancellationToken);
            socket.Cork();
            await SendAnswersAsync(cancellationToken);
            while (queue.TryTakeRun(out var pending))
            {
                await SendTurnAsync(pending!, cancellationToken);
                await SendAnswersAsync(cancellationToken);
            }

            await socket.UncorkAsync(cancellationToken);
            if (queue.IsFinished)
            {
                await socket.CloseAsync(cancellationToken);
                return new SessionEnd(SessionEndReason.Stopped, "stopped");
            }
        }
    }

    private async ValueTask SendAnswersAsync(CancellationToken cancellationToken)
    {
        while (queue.TryTakeAnswer(out var answer))
        {
            _frame.Clear();
            answer!(_frame);
            await socket.SendAsync(_frame, cancellationToken);
        }
    }

    private async ValueTask SendTurnAsync(PendingRun pending, CancellationToken cancellationToken)
    {
        for (long sent = 0; sent < TurnBytes; sent += _frame.Length)
        {
            if (!pending.Run.Outbox.TryRead(out var runEvent))
            {
                return;
            }

            try
            {
                if (runEvent.EndsRun)
                {
                    // The answer to a cancel was queued before the run's last word, but this turn may have begun before both.
                    await SendAnswersAsync(cancellationToken);
                }

                _frame.Clear();
                Write(pending, runEvent);
                await socket.SendAsync(_frame, cancellationToken);
            }
            finally
            {
                // A last word that breaks off with the socket is not said again: the manager may have heard it.
                runEvent.Release();
                if (runEvent.EndsRun)
                {
                    onAnswered(pending);
                }
            }
        }

        queue.Announce(pending);
    }

    private void Write(PendingRun pending, in RunEvent runEvent)
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

    private void WriteFailure(PendingRun pending, ActionFailure failure)
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
