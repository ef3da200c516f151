using System.Buffers;
using Genkit.Sidecar.Endpoints.ReflectionV2;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

public class ReceivedFrameTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16_384, 16_384)]
    [InlineData(16_385, 1_000)]
    [InlineData(3_000_000, 65_536)]
    [InlineData(100_000, 7)]
    public void Bytes_FilledInSteps_AreWhatCame(int length, int step)
    {
        var expected = new byte[length];
        new Random(length).NextBytes(expected);
        using var frame = new ReceivedFrame();

        Fill(frame, expected, step);

        Assert.Equal(length, frame.Length);
        Assert.Equal(length, frame.Bytes.Length);
        Assert.True(expected.AsSpan().SequenceEqual(frame.Bytes.ToArray()));
        Assert.True(expected.AsSpan(length / 2).SequenceEqual(frame.Bytes.Slice(length / 2).ToArray()));
    }

    [Fact]
    public void GetMemory_FullSegment_GivesANewOneOfBoundedSize()
    {
        using var frame = new ReceivedFrame();
        for (var i = 0; i < 20; i++)
        {
            var memory = frame.GetMemory();

            Assert.InRange(memory.Length, 1, 1024 * 1024);
            frame.Advance(memory.Length);
        }
    }

    [Fact]
    public void Bytes_EmptyLastSegment_EndWhereTheMessageEnds()
    {
        using var frame = new ReceivedFrame();
        var first = frame.GetMemory().Length;
        frame.Advance(first);
        Assert.NotEqual(0, frame.GetMemory().Length);
        frame.Advance(0);

        Assert.Equal(first, frame.Length);
        Assert.Equal(first, frame.Bytes.Length);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(500_000)]
    public void Clear_FilledFrame_BeginsAnew(int length)
    {
        using var frame = new ReceivedFrame();
        Fill(frame, new byte[length], 4_096);

        frame.Clear();

        Assert.Equal(0, frame.Length);
        Assert.True(frame.Bytes.IsEmpty);
        byte[] next = [.. Enumerable.Range(0, 50_000).Select(number => (byte)number)];
        Fill(frame, next, 333);
        Assert.True(next.AsSpan().SequenceEqual(frame.Bytes.ToArray()));
        frame.Clear();
        frame.Clear();
        Assert.Equal(0, frame.Length);
    }

    /// <summary>An array that is returned twice would be rented to two frames at the same time.</summary>
    [Fact]
    public void Dispose_Twice_GivesTheMemoryBackOnce()
    {
        var frame = new ReceivedFrame();
        Fill(frame, new byte[100_000], 4_096);
        frame.Dispose();
        frame.Dispose();

        var frames = Enumerable.Range(0, 8).Select(_ => new ReceivedFrame()).ToList();
        for (var i = 0; i < frames.Count; i++)
        {
            Fill(frames[i], [.. Enumerable.Repeat((byte)i, 90_000)], 4_096);
        }

        for (var i = 0; i < frames.Count; i++)
        {
            Assert.True(frames[i].Bytes.ToArray().AsSpan().IndexOfAnyExcept((byte)i) < 0);
            frames[i].Dispose();
        }
    }

    private static void Fill(ReceivedFrame frame, ReadOnlySpan<byte> bytes, int step)
    {
        while (bytes.Length > 0)
        {
            var memory = frame.GetMemory().Span;
            var count = Math.Min(Math.Min(memory.Length, step), bytes.Length);
            bytes[..count].CopyTo(memory);
            frame.Advance(count);
            bytes = bytes[count..];
        }
    }
}
