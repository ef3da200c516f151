using System.Net.WebSockets;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.JsonRpc;
using Grpc.Core;

namespace Genkit.Sidecar.Doctor;

/// <summary>
/// A session as short as can be: it registers and leaves. The manager may ask a runtime that has only just come, and waits for the
/// answer to a run without end, so whatever it asks before its answer to the registration is refused. What it asks in the milliseconds
/// between that and the goodbye goes unanswered: nothing can be sent behind a close.
/// </summary>
internal sealed class BriefSession(ManagerSocket socket)
{
    private const string RegisterId = "register";

    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(1);
    private static readonly ActionFailure s_refusal = new(
        StatusCode.Unavailable, "This runtime is genkit-sidecar doctor, which only looked whether it could register. Ask again");

    private readonly OutgoingFrame _frame = new();
    private readonly FrameBatch _batch = new(socket, onAnswered: static _ => { });

    /// <summary>Gives null once the manager has taken the registration, or why it did not.</summary>
    /// <exception cref="WebSocketException">The connection was lost.</exception>
    public async Task<string?> RegisterAsync(Registration registration, CancellationToken cancellationToken)
    {
        JsonRpcWriter.Register(_frame, RegisterId, registration);
        await SendAsync(cancellationToken);
        while (true)
        {
            using var received = await socket.ReceiveAsync(cancellationToken);
            if (received is null)
            {
                return socket.CloseReason;
            }

            if (received.Oversize is not null || JsonRpcReader.Read(received.Bytes, out var message) is not null)
            {
                continue;
            }

            if (message.Method.IsPresent)
            {
                await RefuseAsync(message, cancellationToken);
            }
            else if (message.String(message.Id) == RegisterId)
            {
                return message.Error.IsPresent
                    ? $"refused: {JsonRpcReader.ReadErrorMessage(message.Bytes(message.Error)) ?? "an error without a message"}"
                    : null;
            }
        }
    }

    /// <summary>Says goodbye, and waits a moment for the manager to have heard it.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        using var farewell = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        farewell.CancelAfter(s_farewell);
        try
        {
            await socket.CloseAsync(farewell.Token);
            while (await socket.ReceiveAsync(farewell.Token) is { } received)
            {
                received.Dispose();
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            // Gone is gone.
        }
    }

    private async Task RefuseAsync(ReceivedMessage message, CancellationToken cancellationToken)
    {
        if (message.Id.Kind is not (JsonTokenType.String or JsonTokenType.Number))
        {
            return;
        }

        _frame.Clear();
        JsonRpcWriter.Error(_frame, message.ReadId(), JsonRpcErrorCode.ServerError, s_refusal, traceId: null);
        await SendAsync(cancellationToken);
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        await _batch.AddAsync(_frame, isEvent: false, cancellationToken);
        await _batch.SendAsync(cancellationToken);
    }
}
