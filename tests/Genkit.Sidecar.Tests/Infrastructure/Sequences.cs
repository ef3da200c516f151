using System.Buffers;

namespace Genkit.Sidecar.Tests.Infrastructure;

/// <summary>Cuts bytes into sequences of several segments, as sockets and HTTP/2 deliver them.</summary>
internal static class Sequences
{
    /// <summary>Segments of <paramref name="size"/> bytes.</summary>
    public static ReadOnlySequence<byte> Every(int size, ReadOnlyMemory<byte> bytes)
    {
        var segments = new List<ReadOnlyMemory<byte>>();
        for (var start = 0; start < bytes.Length; start += size)
        {
            segments.Add(bytes[start..Math.Min(start + size, bytes.Length)]);
        }

        return Of(segments);
    }

    /// <summary>Segments that end at each of <paramref name="positions"/>, which are in ascending order. Equal positions make an empty segment.</summary>
    public static ReadOnlySequence<byte> At(ReadOnlyMemory<byte> bytes, params ReadOnlySpan<int> positions)
    {
        var segments = new List<ReadOnlyMemory<byte>>();
        var start = 0;
        foreach (var position in positions)
        {
            segments.Add(bytes[start..position]);
            start = position;
        }

        segments.Add(bytes[start..]);
        return Of(segments);
    }

    /// <summary>Segments with up to <paramref name="most"/> random cuts.</summary>
    public static ReadOnlySequence<byte> Randomly(Random random, ReadOnlyMemory<byte> bytes, int most)
    {
        var positions = new int[random.Next(most + 1)];
        for (var i = 0; i < positions.Length; i++)
        {
            positions[i] = random.Next(bytes.Length + 1);
        }

        Array.Sort(positions);
        return At(bytes, positions);
    }

    public static ReadOnlySequence<byte> Of(IReadOnlyList<ReadOnlyMemory<byte>> segments)
    {
        if (segments.Count == 0)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        var first = new Segment(segments[0], null);
        var last = first;
        for (var i = 1; i < segments.Count; i++)
        {
            last = new Segment(segments[i], last);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
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
