using System.Buffers;

namespace Genkit.Sidecar.Grpc.Tests;

internal static class Sequences
{
    /// <summary>Bytes in segments of these lengths, the rest in a last one.</summary>
    public static ReadOnlySequence<byte> Split(byte[] bytes, params int[] lengths)
    {
        Segment? first = null;
        Segment? last = null;
        var offset = 0;
        foreach (var length in lengths.Append(bytes.Length - lengths.Sum()))
        {
            last = new Segment(bytes.AsMemory(offset, length), last);
            first ??= last;
            offset += length;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
