using System.Buffers;
using System.Text.Json;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Grpc.Server;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>One run of the reference application: what an action reads and sends.</summary>
internal sealed class ReferenceRun(GrpcServerCall call, V1.RunActionRequest request, bool isBidi, Rule? broken, CancellationToken cancelled)
{
    // Field 1000, three bytes.
    private static readonly byte[] s_unknownMember = [0xC2, 0x3E, 0x03, (byte)'n', (byte)'e', (byte)'w'];

    private readonly List<byte[]> _heldBack = [];
    private bool _hasReadInput;

    /// <summary>The key, which is the request's own unless that is one of <see cref="WrongRuns"/>.</summary>
    public string Key { get; } = WrongRuns.ActionOf(request.Key);

    public byte[]? Input => request.HasInputJson && !(isBidi && broken == Rule.BidiIgnoresStart) ? request.InputJson.ToByteArray() : null;

    public byte[]? Init => request.HasInitJson && broken != Rule.InitIsIgnored ? request.InitJson.ToByteArray() : null;

    public byte[]? Context => request.HasContextJson && broken != Rule.ContextIsIgnored ? request.ContextJson.ToByteArray() : null;

    public IReadOnlyDictionary<string, string> Labels => request.TelemetryLabels;

    public bool IsStreamed => request.Stream;

    public bool IsBidi => isBidi;

    public GrpcMetadata Metadata => call.RequestHeaders;

    /// <summary>Cancelled with the run.</summary>
    public CancellationToken Cancelled => broken switch
    {
        Rule.IgnoresCancel => CancellationToken.None,
        Rule.IgnoresCancelOfBidi when isBidi => CancellationToken.None,
        Rule.IgnoresDeadlines when call.Remaining is not null => CancellationToken.None,
        _ => cancelled,
    };

    /// <summary>The input as an object.</summary>
    /// <exception cref="ActionFailure">It is none.</exception>
    public JsonElement InputObject() => ObjectOf(Input);

    /// <exception cref="ActionFailure">They are no object.</exception>
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
            throw new ActionFailure(3, $"the input is no JSON: {e.Message}");
        }
    }

    /// <summary>The next chunk of input; null when there will be none. A plain run's input is its only one.</summary>
    public async Task<byte[]?> ReadInputAsync()
    {
        if (!isBidi)
        {
            var only = _hasReadInput ? null : Input;
            _hasReadInput = true;
            return only;
        }

        while (await call.ReadAsync(cancelled))
        {
            var isFirst = !_hasReadInput;
            _hasReadInput = true;
            var chunk = V1.RunBidiActionRequest.Parser.ParseFrom(call.Message).ChunkJson.ToByteArray();
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
                // Two are enough to be wrong, and a stream without end must not be held back as a whole.
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

    public async Task<GrpcStatus> SucceedAsync(byte[]? result)
    {
        await ReleaseAsync();
        if (broken == Rule.EndsWithoutResult)
        {
            return GrpcStatus.OK;
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
        return await EndAsync(last);
    }

    public async Task<GrpcStatus> FailAsync(ActionFailure failure)
    {
        if (broken == Rule.ChunksBeforeFailureAreLost)
        {
            _heldBack.Clear();
        }

        await ReleaseAsync();

        if (broken == Rule.FailureIsAResult)
        {
            return await SucceedAsync("null"u8.ToArray());
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
            Rule.MessageHasPrefix => $"{(GrpcStatusCode)code}: {failure.Message}",
            Rule.MessageIsAscii => string.Concat(failure.Message.Select(letter => char.IsAscii(letter) && !char.IsControl(letter) && letter != '%' ? letter : '?')),
            Rule.MessageIsCut => failure.Message[..Math.Min(failure.Message.Length, 1000)],
            _ => failure.Message,
        };
        if (failure.IsStatus != (broken == Rule.FormIsTheOther))
        {
            return StatusOf(code, message, failure.Stack);
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

        return GrpcStatus.OK;
    }

    /// <summary>A status, with the stack as Google's richer error model carries it: a google.rpc.Status whose details have a google.rpc.DebugInfo.</summary>
    private GrpcStatus StatusOf(int code, string message, string stack)
    {
        if (broken == Rule.MessageIsNotEncoded)
        {
            call.HttpContext.Response.Headers["grpc-message"] = message;
            return new GrpcStatus((GrpcStatusCode)code, "");
        }

        if (stack.Length == 0)
        {
            return new GrpcStatus((GrpcStatusCode)code, message);
        }

        // The second field of DebugInfo is its detail, the third of Status are its details.
        var debugInfo = new Any { TypeUrl = "type.googleapis.com/google.rpc.DebugInfo", Value = Field(2, ByteString.CopyFromUtf8(stack)) };
        return new GrpcStatus((GrpcStatusCode)code, message) { Details = Field(3, debugInfo.ToByteString()).Memory };
    }

    private static ByteString Field(int number, ByteString value)
    {
        using var stream = new MemoryStream();
        using (var message = new CodedOutputStream(stream, leaveOpen: true))
        {
            message.WriteTag(number, WireFormat.WireType.LengthDelimited);
            message.WriteBytes(value);
        }

        return ByteString.CopyFrom(stream.ToArray());
    }

    private async Task<GrpcStatus> EndAsync(V1.ActionResult last)
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
                return new GrpcStatus(GrpcStatusCode.Aborted, "failed after the result");
            case Rule.CallStaysOpen:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.CancellationToken);
                break;
            default:
                break;
        }

        return GrpcStatus.OK;
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

    // RunBidiActionResponse has the same form on the wire.
    private async Task WriteAsync(V1.RunActionResponse response)
    {
        if (broken == Rule.SaysWhatNobodyKnows)
        {
            // A heartbeat, and a member of a later version.
            await call.WriteAsync(ReadOnlySequence<byte>.Empty, flush: true);
            await call.WriteAsync(new ReadOnlySequence<byte>(s_unknownMember), flush: true);
        }

        await call.WriteAsync(new ReadOnlySequence<byte>(response.ToByteArray()), flush: true);
    }
}
