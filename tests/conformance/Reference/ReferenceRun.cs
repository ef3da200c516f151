using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Status = Grpc.Core.Status;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>One run of the reference application. Reads the input and sends updates.</summary>
/// <param name="request">The request that starts the run.</param>
/// <param name="input">The streamed input, or null for a run without.</param>
/// <param name="write">Sends a message.</param>
/// <param name="call">The gRPC call.</param>
/// <param name="broken">The broken rule, or null.</param>
/// <param name="cancelled">Cancelled with the run.</param>
internal sealed class ReferenceRun(
    V1.RunActionRequest request,
    IAsyncStreamReader<V1.RunBidiActionRequest>? input,
    Func<V1.RunActionResponse, Task> write,
    ServerCallContext call,
    Rule? broken,
    CancellationToken cancelled)
{
    // Field 1000, three bytes.
    private static readonly byte[] s_unknownMember = [0xC2, 0x3E, 0x03, (byte)'n', (byte)'e', (byte)'w'];

    private readonly List<byte[]> _heldBack = [];
    private bool _hasReadInput;

    /// <summary>The key, of the request, or the action's key if the request's is one of <see cref="WrongRuns"/>.</summary>
    public string Key { get; } = WrongRuns.ActionOf(request.Key);

    public byte[]? Input => request.HasInputJson && !(IsBidi && broken == Rule.BidiIgnoresStart) ? request.InputJson.ToByteArray() : null;

    public byte[]? Init => request.HasInitJson && broken != Rule.InitIsIgnored ? request.InitJson.ToByteArray() : null;

    public byte[]? Context => request.HasContextJson && broken != Rule.ContextIsIgnored ? request.ContextJson.ToByteArray() : null;

    public IReadOnlyDictionary<string, string> Labels => request.TelemetryLabels;

    public bool IsStreamed => request.Stream;

    public bool IsBidi => input is not null;

    public Metadata Metadata => call.RequestHeaders;

    /// <summary>Cancelled with the run.</summary>
    public CancellationToken Cancelled => broken switch
    {
        Rule.IgnoresCancel => CancellationToken.None,
        Rule.IgnoresCancelOfBidi when IsBidi => CancellationToken.None,
        Rule.IgnoresDeadlines when call.Deadline != DateTime.MaxValue => CancellationToken.None,
        _ => cancelled,
    };

    /// <summary>Returns the input as an object.</summary>
    /// <exception cref="ActionFailure">It is not an object.</exception>
    public JsonElement InputObject() => ObjectOf(Input);

    /// <exception cref="ActionFailure">They are not an object.</exception>
    public static JsonElement ObjectOf(byte[]? json)
    {
        try
        {
            using var document = JsonDocument.Parse(json ?? "null"u8.ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new ActionFailure(3, "the input must be an object, such as {\"name\": \"Ada\"}");
        }
        catch (JsonException e)
        {
            throw new ActionFailure(3, $"the input is not valid JSON: {e.Message}");
        }
    }

    /// <summary>Reads the next input chunk. Returns null at the end. In a run without streamed input, the input is the only chunk.</summary>
    public async Task<byte[]?> ReadInputAsync()
    {
        if (input is null)
        {
            var only = _hasReadInput ? null : Input;
            _hasReadInput = true;
            return only;
        }

        while (await UntilCancelledAsync(() => input.MoveNext(cancelled)))
        {
            var isFirst = !_hasReadInput;
            _hasReadInput = true;
            var chunk = input.Current.ChunkJson.ToByteArray();
            if (broken == Rule.NullInputEndsInput && chunk.AsSpan().SequenceEqual("null"u8))
            {
                return null;
            }

            if (!isFirst || broken != Rule.DropsEarlyInput)
            {
                return chunk;
            }
        }

        if (!_hasReadInput && broken == Rule.HangsWithoutInput)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.CancellationToken);
        }

        return null;
    }

    public async Task SendAsync(byte[] chunk)
    {
        switch (broken)
        {
            case Rule.ChunksComeAtTheEnd:
            case Rule.ChunksBeforeFailureAreLost:
            case Rule.ChunksOutOfOrder:
            case Rule.DropsLastChunk:
                _heldBack.Add(chunk);
                // Hold back two chunks only, because an endless stream cannot be held back as a whole.
                if (broken == Rule.ChunksOutOfOrder && _heldBack.Count == 2)
                {
                    await WriteChunkAsync(_heldBack[1]);
                    await WriteChunkAsync(_heldBack[0]);
                    _heldBack.Clear();
                }
                else if (broken == Rule.DropsLastChunk && _heldBack.Count == 2)
                {
                    await WriteChunkAsync(_heldBack[0]);
                    _heldBack.RemoveAt(0);
                }

                break;
            case Rule.ChunksTwice:
                await WriteChunkAsync(chunk);
                await WriteChunkAsync(chunk);
                break;
            case Rule.ChunksAreNoJson:
                await WriteChunkAsync([.. chunk, (byte)',']);
                break;
            default:
                await WriteChunkAsync(chunk);
                break;
        }
    }

    public async Task StateAsync(string traceId)
    {
        var state = new V1.ActionState { TraceId = broken == Rule.StateInUpperCase ? traceId.ToUpperInvariant() : traceId };
        if (broken == Rule.StateIsLate)
        {
            await WriteChunkAsync("\"before state\""u8.ToArray());
        }

        await WriteAsync(new V1.RunActionResponse { State = state });
        if (broken == Rule.StateTwice)
        {
            await WriteAsync(new V1.RunActionResponse { State = state });
        }
    }

    public async Task SucceedAsync(byte[]? result)
    {
        await ReleaseAsync();
        if (broken == Rule.EndsWithoutResult)
        {
            return;
        }

        var last = new V1.ActionResult();
        if (result is not null && broken == Rule.ResultIsEncodedTwice)
        {
            result = JsonSerializer.SerializeToUtf8Bytes(Convert.ToBase64String(result));
        }

        if (result is not null)
        {
            last.ResultJson = broken switch
            {
                Rule.ResultIsNoJson => ByteString.CopyFromUtf8("{\"cut\": "),
                Rule.ResultIsNoUtf8 => ByteString.CopyFrom([(byte)'"', 0xFF, (byte)'"']),
                Rule.ResultIsEmpty => ByteString.Empty,
                _ => UnsafeByteOperations.UnsafeWrap(result),
            };
        }

        await WriteAsync(new V1.RunActionResponse { Result = last });
        await EndAsync(last);
    }

    /// <exception cref="RpcException">The run fails with a status.</exception>
    public async Task FailAsync(ActionFailure failure)
    {
        if (broken == Rule.ChunksBeforeFailureAreLost)
        {
            _heldBack.Clear();
        }

        await ReleaseAsync();

        if (broken == Rule.FailureIsAResult)
        {
            await SucceedAsync("null"u8.ToArray());
            return;
        }

        var code = broken switch
        {
            Rule.CodeIsAlwaysUnknown => 2,
            Rule.CodeIsOutOfRange => 99,
            _ => failure.Code,
        };
        var message = broken switch
        {
            Rule.MessageIsLost => "",
            Rule.MessageHasPrefix => $"{(StatusCode)code}: {failure.Message}",
            Rule.MessageIsAscii => string.Concat(failure.Message.Select(letter => char.IsAscii(letter) && !char.IsControl(letter) && letter != '%' ? letter : '?')),
            Rule.MessageIsCut => failure.Message[..Math.Min(failure.Message.Length, 1000)],
            _ => failure.Message,
        };
        if (failure.IsStatus != (broken == Rule.FormIsTheOther))
        {
            throw StatusOf(code, message, failure.Stack);
        }

        var error = new V1.ActionError { Code = code, Message = message, Stack = broken == Rule.StackIsLost ? "" : failure.Stack };
        if (failure.Details is not null && broken != Rule.DetailsAreLost)
        {
            error.DetailsJson = UnsafeByteOperations.UnsafeWrap(failure.Details);
        }

        await WriteAsync(new V1.RunActionResponse { Error = error });
        if (broken == Rule.ResultAfterError)
        {
            await WriteAsync(new V1.RunActionResponse { Result = new V1.ActionResult() });
        }
    }

    /// <summary>Returns a status that carries the stack in Google's richer error model.</summary>
    private RpcException StatusOf(int code, string message, string stack)
    {
        if (broken == Rule.MessageIsNotEncoded)
        {
            var response = call.GetHttpContext().Response;
            response.OnStarting(() =>
            {
                response.Headers["grpc-message"] = message;
                return Task.CompletedTask;
            });
            return new RpcException(new Status((StatusCode)code, ""));
        }

        return stack.Length == 0
            ? new RpcException(new Status((StatusCode)code, message))
            : new Google.Rpc.Status { Code = code, Message = message, Details = { Any.Pack(new DebugInfo { Detail = stack }) } }.ToRpcException();
    }

    private async Task EndAsync(V1.ActionResult last)
    {
        switch (broken)
        {
            case Rule.ResultTwice:
                await WriteAsync(new V1.RunActionResponse { Result = last });
                break;
            case Rule.ChunkAfterResult:
                await WriteChunkAsync("\"late\""u8.ToArray());
                break;
            case Rule.FailsAfterResult:
                throw new RpcException(new Status(StatusCode.Aborted, "failed after the result"));
            case Rule.CallStaysOpen:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.CancellationToken);
                break;
            default:
                break;
        }
    }

    private async Task ReleaseAsync()
    {
        if (broken != Rule.DropsLastChunk)
        {
            foreach (var chunk in _heldBack)
            {
                await WriteChunkAsync(chunk);
            }
        }

        _heldBack.Clear();
    }

    private Task WriteChunkAsync(byte[] chunk) => WriteAsync(new V1.RunActionResponse { ChunkJson = UnsafeByteOperations.UnsafeWrap(chunk) });

    private async Task WriteAsync(V1.RunActionResponse response)
    {
        if (broken == Rule.SendsUnknownMembers)
        {
            // A heartbeat and a member of a later version.
            await write(new V1.RunActionResponse());
            await write(V1.RunActionResponse.Parser.ParseFrom(s_unknownMember));
        }

        await UntilCancelledAsync(async () =>
        {
            await write(response);
            return true;
        });
    }

    /// <summary>Reads or writes, and converts the different failures of a cancelled call into one exception.</summary>
    /// <exception cref="OperationCanceledException">The call has ended.</exception>
    private static async Task<bool> UntilCancelledAsync(Func<Task<bool>> step)
    {
        try
        {
            return await step();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            throw new OperationCanceledException("the call has ended", e);
        }
    }
}
