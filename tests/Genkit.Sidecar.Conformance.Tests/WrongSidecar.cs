using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Running;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>What registers with the kit's manager like a sidecar and does what no real one does on cue.</summary>
internal sealed class WrongSidecar(SidecarFault fault) : ISubjectSource
{
    private const string TraceId = "00000000000000000000000000000001";

    private readonly ClientWebSocket _socket = new();
    private Manager? _manager;
    private Task _serving = Task.CompletedTask;
    private string _besides = "";

    public Way Way => Way.Sidecar;

    public string Name => "A wrong sidecar";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _manager = await Manager.StartAsync();
        await _socket.ConnectAsync(_manager.Address, cancellationToken);
        _serving = ServeAsync();
        await _manager.RegisteredAsync(cancellationToken).WaitAsync(Timeouts.Default, cancellationToken);
    }

    public ISubject Connect() => new ManagerSubject(_manager!);

    public Task<string?> RecoverAsync(bool hasFailed, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _serving;
        _socket.Dispose();
        await _manager!.DisposeAsync();
    }

    private async Task ServeAsync()
    {
        try
        {
            await SendAsync("""{"jsonrpc":"2.0","id":"1","method":"register","params":{"id":"wrong"}}""");
            var buffer = new byte[2 * 1024 * 1024];
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult received;
                do
                {
                    received = await _socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                    length += received.Count;
                }
                while (!received.EndOfMessage);

                using var frame = JsonDocument.Parse(buffer.AsMemory(0, length));
                if (frame.RootElement.TryGetProperty("method", out var method))
                {
                    await TakeAsync(method.GetString()!, frame.RootElement);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or InvalidOperationException or JsonException)
        {
            // The test is over and has closed the socket, or the manager does not want such frames any more.
        }
    }

    private Task TakeAsync(string method, JsonElement frame)
    {
        var id = frame.TryGetProperty("id", out var value) ? value.GetString()! : "";
        return method switch
        {
            "runAction" => RunAsync(id, frame.GetProperty("params")),
            "listActions" => SendAsync($$"""{"jsonrpc":"2.0","result":{"actions":{{Actions()}}},"id":"{{id}}"}"""),
            "listValues" when fault == SidecarFault.ValuesFail => SendAsync($$$"""{"jsonrpc":"2.0","error":{"code":-32000,"message":"not offered"},"id":"{{{id}}}"}"""),
            _ => Task.CompletedTask,
        };
    }

    private async Task RunAsync(string id, JsonElement parameters)
    {
        var key = parameters.GetProperty("key").GetString()!;
        if (fault != SidecarFault.NoState)
        {
            await SendAsync($$$$"""{"jsonrpc":"2.0","method":"runActionState","params":{"requestId":"{{{{id}}}}","state":{"traceId":"{{{{TraceId}}}}"}}}""");
        }

        if (fault == SidecarFault.TellsTheAlias)
        {
            await SendAsync($$$$"""{"jsonrpc":"2.0","method":"runActionState","params":{"requestId":"{{{{id}}}}","state":{"traceId":"0af7651916cd43dd8448eb211c80319c"}}}""");
        }

        switch (fault)
        {
            case SidecarFault.NeverAnswers when key.EndsWith("/wait", StringComparison.Ordinal):
                await ChunkAsync(id, $$"""{"waiting":{{parameters.GetProperty("input").GetProperty("id").GetRawText()}}}""");
                return;
            case SidecarFault.ChunksOfStates:
                await ChunkAsync(id, "\"state\"");
                break;
            case SidecarFault.ChunksOfHeartbeats:
                await ChunkAsync(id, "null");
                break;
            case SidecarFault.BreaksFrames:
                await ChunkAsync(id, "{\"cut\": ");
                return;
            default:
                break;
        }

        if (key == "/kit/list")
        {
            _besides = fault == SidecarFault.ListsWhatItIsGiven
                ? string.Concat(parameters.GetProperty("input").GetProperty("actions").EnumerateArray().Select(
                    action => $$""","{{action.GetProperty("key")}}":{"key":"{{action.GetProperty("key")}}","name":"{{action.GetProperty("name")}}","metadata":{{(action.TryGetProperty("metadata", out var metadata) ? metadata : "{}")}}}"""))
                : "";
            await AnswerAsync(id, "null");
        }
        else if (key.EndsWith("/state", StringComparison.Ordinal))
        {
            await ChunkAsync(id, "\"after state\"");
            await AnswerAsync(id, "\"done\"");
        }
        else if (key.EndsWith("/count", StringComparison.Ordinal))
        {
            await CountAsync(id, parameters);
        }
        else if (key.EndsWith("/fail-error", StringComparison.Ordinal))
        {
            await FailAsync(id, fault == SidecarFault.KeepsTheCode ? 99 : 5, fault == SidecarFault.KeepsTheTraceId ? "not a trace" : TraceId);
        }
        else
        {
            await AnswerAsync(id, fault == SidecarFault.MixesTracesUp
                ? """{"metadata":{"traceparent":"00-00000000000000000000000000000002-0000000000000001-01"}}"""
                : """{"metadata":{}}""");
        }
    }

    private async Task CountAsync(string id, JsonElement parameters)
    {
        var to = parameters.GetProperty("input").GetProperty("to").GetInt32();
        for (var i = 0; i < to && (parameters.GetProperty("stream").GetBoolean() || fault == SidecarFault.ChunksUnasked); i++)
        {
            await ChunkAsync(id, $$"""{"index":{{i}},"padding":""}""");
        }

        await AnswerAsync(id, $$"""{"sent":{{to}}}""");
    }

    private async Task AnswerAsync(string id, string result)
    {
        if (fault == SidecarFault.NeverAnswers)
        {
            return;
        }

        if (fault == SidecarFault.AnswersWithAnError)
        {
            await FailAsync(id, 10, TraceId);
            return;
        }

        var traceId = fault == SidecarFault.TraceIdsDiffer ? "00000000000000000000000000000002" : TraceId;
        var answer = $$$"""{"jsonrpc":"2.0","result":{"result":{{{result}}},"telemetry":{"traceId":"{{{traceId}}}"}},"id":"{{{id}}}"}""";
        await SendAsync(answer);
        if (fault == SidecarFault.AnswersTwice)
        {
            await SendAsync(answer);
        }

        if (fault == SidecarFault.ChunkBehindAnswer)
        {
            await ChunkAsync(id, "\"late\"");
        }
    }

    private async Task FailAsync(string id, int code, string traceId)
    {
        var failure = Failure(id, code, traceId);
        await SendAsync(failure);
        if (fault == SidecarFault.AnswersTwice)
        {
            await SendAsync(failure);
        }
    }

    private string Failure(string id, int code, string traceId) => fault == SidecarFault.ErrorsHaveNoData
        ? $$$"""{"jsonrpc":"2.0","error":{"code":-32000,"message":"m"},"id":"{{{id}}}"}"""
        : $$$$"""{"jsonrpc":"2.0","error":{"code":-32000,"message":"m","data":{"code":{{{{code}}}},"message":"m","details":{"reason":"r","stack":"mine","traceId":"{{{{traceId}}}}"}}},"id":"{{{{id}}}}"}""";

    private Task ChunkAsync(string id, string chunk) =>
        SendAsync($$$"""{"jsonrpc":"2.0","method":"streamChunk","params":{"requestId":"{{{id}}}","chunk":{{{chunk}}}}}""");

    private Task SendAsync(string frame) => _socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private string Actions()
    {
        var actions = Cases.Catalogue.Root.GetProperty("actions").EnumerateArray().Where(action => !action.TryGetProperty("listed", out _));
        return $"{{{string.Join(',', actions.Select(action => $"{action.GetProperty("key").GetRawText()}:{action.GetRawText()}"))}{_besides}}}";
    }
}
