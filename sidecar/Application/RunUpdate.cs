using System.Buffers;
using Genkit.Sidecar.Actions;
using Google.Protobuf;

namespace Genkit.Sidecar.Application;

internal enum RunUpdateKind
{
    /// <summary>A message without a known member: a heartbeat.</summary>
    None,
    State,
    Chunk,
    Result,
    Error,
}

/// <summary>
/// One message of a run, decoded. <c>RunActionResponse</c> and <c>RunBidiActionResponse</c> have the same members under the same numbers.
/// </summary>
/// <param name="Kind">Which member the message has.</param>
/// <param name="Payload">The chunk or result; a slice of the message where it is the only field, which it is from every stock encoder. Null for a result that is absent.</param>
/// <param name="Failure">The error, if it is one.</param>
internal readonly record struct RunUpdate(RunUpdateKind Kind, ReadOnlySequence<byte>? Payload, ActionFailure? Failure)
{
    private const byte ChunkTag = (V1.RunActionResponse.ChunkJsonFieldNumber << 3) | (int)WireFormat.WireType.LengthDelimited;
    private const byte ResultTag = (V1.RunActionResponse.ResultFieldNumber << 3) | (int)WireFormat.WireType.LengthDelimited;
    private const byte ResultJsonTag = (V1.ActionResult.ResultJsonFieldNumber << 3) | (int)WireFormat.WireType.LengthDelimited;

    /// <summary>What the application calls its own trace of the run, of a state; empty or null if it says nothing.</summary>
    public string? AliasTraceId { get; private init; }

    /// <exception cref="InvalidProtocolBufferException">The bytes are not such a message.</exception>
    public static RunUpdate Decode(in ReadOnlySequence<byte> message)
    {
        if (TryReadOnlyField(message, ChunkTag, out var chunk))
        {
            return new RunUpdate(RunUpdateKind.Chunk, chunk, null);
        }

        if (TryReadOnlyField(message, ResultTag, out var result))
        {
            if (result.IsEmpty)
            {
                return new RunUpdate(RunUpdateKind.Result, null, null);
            }

            if (TryReadOnlyField(result, ResultJsonTag, out var json))
            {
                return new RunUpdate(RunUpdateKind.Result, json, null);
            }
        }

        return Parse(message);
    }

    private static RunUpdate Parse(in ReadOnlySequence<byte> message)
    {
        var parsed = V1.RunActionResponse.Parser.ParseFrom(message);
        return parsed.UpdateCase switch
        {
            V1.RunActionResponse.UpdateOneofCase.State => new(RunUpdateKind.State, null, null) { AliasTraceId = parsed.State.TraceId },
            V1.RunActionResponse.UpdateOneofCase.ChunkJson => new(RunUpdateKind.Chunk, Sequence(parsed.ChunkJson), null),
            V1.RunActionResponse.UpdateOneofCase.Result => new(RunUpdateKind.Result, parsed.Result.HasResultJson ? Sequence(parsed.Result.ResultJson) : null, null),
            V1.RunActionResponse.UpdateOneofCase.Error => new(RunUpdateKind.Error, null, ApplicationError.Read(parsed.Error)),
            _ => new(RunUpdateKind.None, null, null),
        };
    }

    private static ReadOnlySequence<byte> Sequence(ByteString bytes) => new(bytes.Memory);

    /// <summary>Slices the value out of a message whose one field it is.</summary>
    private static bool TryReadOnlyField(in ReadOnlySequence<byte> message, byte tag, out ReadOnlySequence<byte> value)
    {
        value = default;
        var reader = new SequenceReader<byte>(message);
        if (!reader.TryRead(out var first) || first != tag)
        {
            return false;
        }

        long length = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (!reader.TryRead(out var part))
            {
                return false;
            }

            length |= (long)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                value = reader.UnreadSequence;
                return length == value.Length;
            }
        }

        return false;
    }
}
