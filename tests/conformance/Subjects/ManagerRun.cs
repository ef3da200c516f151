using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Channels;

namespace Genkit.Sidecar.Conformance.Subjects;

/// <summary>A run that a manager has requested from a sidecar.</summary>
internal sealed partial class ManagerRun(Manager manager, string id) : IRun
{
    // Far above the unread updates of any case. It bounds the memory for an endless stream.
    private const int MaxUnread = 8192;

    private readonly Channel<Update> _updates = Channel.CreateBounded<Update>(MaxUnread);
    private readonly TaskCompletionSource<string> _traceId = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isOver;

    /// <summary>A violation by the sidecar after the end of the run.</summary>
    public string? LateFault { get; private set; }

    public async Task<Update> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _updates.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException e) when (e.InnerException is CaseFailure failure)
        {
            throw new CaseFailure(failure.Message);
        }
    }

    public Task SendAsync(byte[] chunk, CancellationToken cancellationToken) => manager.SendAsync(ManagerFrames.InputChunk(id, chunk), cancellationToken);

    public Task EndInputAsync(CancellationToken cancellationToken) => manager.SendAsync(ManagerFrames.EndInput(id), cancellationToken);

    public async Task CancelAsync(CancellationToken cancellationToken)
    {
        if (!_isOver)
        {
            var traceId = await _traceId.Task.WaitAsync(cancellationToken);
            await manager.CancelAsync(traceId, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _updates.Writer.TryComplete();
        if (_isOver || !_traceId.Task.IsCompletedSuccessfully)
        {
            return;
        }

        try
        {
            await manager.CancelAsync(await _traceId.Task, CancellationToken.None);
        }
        catch (CaseFailure)
        {
            // The connection was lost, and the run with it.
        }
    }

    /// <summary>Handles <c>runActionState</c>.</summary>
    public void OnState(JsonElement state)
    {
        var traceId = state.TryGetProperty("traceId", out var value) ? value.GetString() ?? "" : "";
        if (!TraceId.IsMatch(traceId))
        {
            Fail($"runActionState has the trace id '{traceId}', but it must have 32 lower-case hex digits");
        }
        else if (!_traceId.TrySetResult(traceId))
        {
            Fail("runActionState came twice");
        }
    }

    /// <summary>Handles <c>streamChunk</c>.</summary>
    public async Task OnChunkAsync(JsonElement chunk)
    {
        if (!_traceId.Task.IsCompleted)
        {
            Fail("a chunk came before runActionState");
        }

        await WriteAsync(new Update.Chunk(Bytes(chunk)));
    }

    /// <summary>Handles the response.</summary>
    public async Task OnAnswerAsync(JsonElement answer)
    {
        Update update;
        if (answer.TryGetProperty("result", out var result))
        {
            var traceId = result.GetProperty("telemetry").GetProperty("traceId").GetString();
            CheckTraceId(traceId);
            update = new Update.Result(result.TryGetProperty("result", out var payload) ? Bytes(payload) : null, traceId);
        }
        else
        {
            update = ErrorOf(answer.GetProperty("error"));
        }

        await WriteAsync(update);
        _isOver = true;
    }

    /// <summary>Completes the updates of the run.</summary>
    public void Fail(string message)
    {
        if (_isOver)
        {
            LateFault ??= message;
        }

        _updates.Writer.TryComplete(new CaseFailure(message));
        _traceId.TrySetException(new CaseFailure(message));
        _ = _traceId.Task.Exception;
    }

    [GeneratedRegex("^[0-9a-f]{32}$")]
    private static partial Regex TraceId { get; }

    private static byte[] Bytes(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).ToArray();

    private Update.Error ErrorOf(JsonElement error)
    {
        var message = error.GetProperty("message").GetString()!;
        if (!error.TryGetProperty("data", out var data))
        {
            Fail($"the error {error.GetProperty("code").GetInt32()} ({message}) has no data, which the Dev UI requires to show an error");
            return new Update.Error(13, message, null, null, IsStatus: false);
        }

        var details = data.GetProperty("details");
        CheckTraceId(details.TryGetProperty("traceId", out var traceId) ? traceId.GetString() : null);
        if (error.GetProperty("code").GetInt32() != -32000 || data.GetProperty("message").GetString() != message)
        {
            Fail($"the error has the code {error.GetProperty("code").GetInt32()} instead of -32000, or two messages");
        }

        var stack = details.TryGetProperty("stack", out var text) ? text.GetString() : null;
        return new Update.Error(data.GetProperty("code").GetInt32(), message, Bytes(details), stack, IsStatus: false);
    }

    private void CheckTraceId(string? traceId)
    {
        if (!_traceId.Task.IsCompletedSuccessfully)
        {
            Fail("the response came without a preceding runActionState");
        }
        else if (_traceId.Task.Result != traceId)
        {
            Fail($"the response has the trace id '{traceId}', but runActionState had '{_traceId.Task.Result}'");
        }
    }

    private async Task WriteAsync(Update update)
    {
        if (_isOver)
        {
            LateFault ??= $"{update.Name} came after the response";
            return;
        }

        try
        {
            await _updates.Writer.WriteAsync(update);
        }
        catch (ChannelClosedException)
        {
            // The run has no reader any more.
        }
    }
}
