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

    /// <summary>Less than what the socket's stream gathers, so that a burst is handed on as a whole or not at all.</summary>
    private const int BurstBytes = 32 * 1024;

    private readonly OutgoingFrame _frame = new();

    /// <summary>What is on its way to the socket and goes back to its run if it does not get there.</summary>
    private readonly List<(PendingRun Pending, RunEvent Event)> _unpushed = [];
    private long _unpushedBytes;

    /// <summary>Sends until the queue is finished, and then says goodbye.</summary>
    public async Task<SessionEnd?> RunAsync(CancellationToken cancellationToken)
    {
        try
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

                await PushAsync(cancellationToken);
                if (queue.IsFinished)
                {
                    await socket.CloseAsync(cancellationToken);
                    return new SessionEnd(SessionEndReason.Stopped, "stopped");
                }
            }
        }
        finally
        {
            // Last first, so that each outbox gives them out again in their order.
            for (var i = _unpushed.Count - 1; i >= 0; i--)
            {
                _unpushed[i].Pending.Run.Outbox.Return(_unpushed[i].Event);
            }
        }
    }

    /// <summary>Hands what was gathered to the socket. Only then has it been said.</summary>
    private async ValueTask PushAsync(CancellationToken cancellationToken)
    {
        await socket.UncorkAsync(cancellationToken);
        foreach (var (pending, runEvent) in _unpushed)
        {
            runEvent.Release();
            if (runEvent.EndsRun)
            {
                onAnswered(pending);
            }
        }

        _unpushed.Clear();
        _unpushedBytes = 0;

        // The frame would keep a large payload from being collected until the next one is written.
        _frame.Clear();
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

            if (_unpushedBytes + runEvent.Length > BurstBytes)
            {
                try
                {
                    await PushAsync(cancellationToken);
                }
                catch
                {
                    pending.Run.Outbox.Return(runEvent);
                    throw;
                }

                socket.Cork();
            }

            _unpushed.Add((pending, runEvent));
            if (runEvent.EndsRun)
            {
                // The answer to a cancel was queued before the run's last word, but this turn may have begun before both.
                await SendAnswersAsync(cancellationToken);
            }

            _frame.Clear();
            Write(pending, runEvent);
            await socket.SendAsync(_frame, cancellationToken);
            _unpushedBytes += _frame.Length;
            if (_unpushedBytes > BurstBytes)
            {
                await PushAsync(cancellationToken);
                socket.Cork();
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
