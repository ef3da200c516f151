using System.Buffers;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Otlp;

/// <summary>
/// What the messages of a request take in memory once they are decoded, roughly, and before they are: one of two bytes becomes an object of up to two hundred.
/// </summary>
internal static class DecodedSize
{
    /// <summary>Of a span, an event and the like, with their empty lists.</summary>
    public const int MessageBytes = 256;

    /// <summary>Of an attribute, and of its value.</summary>
    public const int ValueBytes = 64;

    /// <summary>For each byte that a request may have. Lists of floating-point numbers, the densest that anybody sends, take six.</summary>
    public const int MostPerByte = 8;

    private const int MaxDepth = 100;
    private const int MaxVarintBytes = 10;

    private static readonly Message s_pair = Pair();
    private static readonly Message s_value = s_pair[2]!;
    private static readonly Message s_resource = new(MessageBytes) { [1] = s_pair };
    private static readonly Message s_scope = new(MessageBytes) { [3] = s_pair };

    public static Message Traces { get; } = Request(s_resource, new(MessageBytes)
    {
        [1] = s_scope,
        [2] = new(MessageBytes)
        {
            [9] = s_pair,
            [11] = new(MessageBytes) { [3] = s_pair },
            [13] = new(MessageBytes) { [4] = s_pair },
            [15] = new(MessageBytes),
        },
    });

    public static Message Logs { get; } = Request(s_resource, new(MessageBytes)
    {
        [1] = s_scope,
        [2] = new(MessageBytes) { [5] = s_value, [6] = s_pair },
    });

    public static Message Metrics { get; } = Request(resource: null, new(MessageBytes) { [2] = new(MessageBytes) });

    /// <summary>In bytes. Of a request that is not valid, up to where it is not.</summary>
    public static long Of(Message request, in ReadOnlySequence<byte> protobuf)
    {
        var reader = new SequenceReader<byte>(protobuf);
        long size = 0;
        Measure(ref reader, request, protobuf.Length, depth: 0, ref size);
        return size;
    }

    /// <exception cref="InvalidDataException">It is; the message names the setting.</exception>
    public static void ThrowIfOver(long maxBytes, long bytes)
    {
        if (bytes > maxBytes)
        {
            throw new InvalidDataException(
                $"The request has so many spans, records or values that they take more than the {maxBytes} bytes of memory that {OtlpSettingTable.OtlpMaxRequestBytes.Flag} allows, {MostPerByte} for each of its own; smaller batches do not");
        }
    }

    private static Message Pair()
    {
        var value = new Message(ValueBytes);
        var pair = new Message(ValueBytes) { [2] = value };
        value[5] = new(MessageBytes) { [1] = value };
        value[6] = new(MessageBytes) { [1] = pair };
        return pair;
    }

    private static Message Request(Message? resource, Message items) => new(MessageBytes) { [1] = new(MessageBytes) { [1] = resource, [2] = items } };

    /// <returns>Whether all of it could be read.</returns>
    private static bool Measure(ref SequenceReader<byte> reader, Message message, long end, int depth, ref long size)
    {
        while (reader.Consumed < end)
        {
            if (!TryReadVarint(ref reader, out var tag))
            {
                return false;
            }

            var isRead = (tag & 7) switch
            {
                0 => TryReadVarint(ref reader, out _),
                1 => TryAdvance(ref reader, sizeof(ulong), end),
                2 => MeasureField(ref reader, message[tag >> 3], end, depth, ref size),

                // Groups, which nothing here has: what is in one counts as what is around it.
                3 or 4 => true,
                5 => TryAdvance(ref reader, sizeof(uint), end),
                _ => false,
            };
            if (!isRead)
            {
                return false;
            }
        }

        return true;
    }

    private static bool MeasureField(ref SequenceReader<byte> reader, Message? message, long end, int depth, ref long size)
    {
        if (!TryReadVarint(ref reader, out var length) || length > end - reader.Consumed)
        {
            return false;
        }

        if (message is null)
        {
            reader.Advance(length);
            return true;
        }

        size += message.Bytes;
        return depth < MaxDepth && Measure(ref reader, message, reader.Consumed + length, depth + 1, ref size);
    }

    private static bool TryAdvance(ref SequenceReader<byte> reader, int bytes, long end)
    {
        if (bytes > end - reader.Consumed)
        {
            return false;
        }

        reader.Advance(bytes);
        return true;
    }

    /// <summary>Gives the lower 32 bits, as Protobuf's own reader does.</summary>
    private static bool TryReadVarint(ref SequenceReader<byte> reader, out uint value)
    {
        value = 0;
        for (var i = 0; i < MaxVarintBytes && reader.TryRead(out var next); i++)
        {
            if (i < 5)
            {
                value |= (next & 0x7Fu) << (7 * i);
            }

            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A message and those in it, by field number.</summary>
    internal sealed class Message(int bytes)
    {
        private readonly Message?[] _fields = new Message?[16];

        public int Bytes { get; } = bytes;

        public Message? this[uint field]
        {
            get => field < _fields.Length ? _fields[field] : null;
            set => _fields[field] = value;
        }
    }
}
