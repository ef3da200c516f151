using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Runs;

public class RunEventTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public void WithPayload_AnySize_IsACopyUntilReleased(int length)
    {
        var bytes = Bytes(length);
        var runEvent = RunEvent.WithPayload(RunEventKind.Chunk, new PayloadBuffer(Sequences.Every(100, bytes)));
        var expected = bytes.ToArray();
        bytes.AsSpan().Clear();

        Assert.True(runEvent.Payload!.Value.IsSingleSegment);
        Assert.Equal(expected, runEvent.Payload.Value.ToArray());
        Assert.Equal(length, runEvent.Length);

        runEvent.Release();
        Assert.True(runEvent.Payload!.Value.IsEmpty);
    }

    [Fact]
    public void WithPayload_AbsentAndEmpty_AreNotTheSame()
    {
        Assert.Null(RunEvent.WithPayload(RunEventKind.Result, null).Payload);
        Assert.NotNull(RunEvent.WithPayload(RunEventKind.Result, new PayloadBuffer(ReadOnlySequence<byte>.Empty)).Payload);
    }

    [Fact]
    public void EndsRun_Kinds_TheLastTwoDo()
    {
        Assert.False(RunEvent.Started.EndsRun);
        Assert.False(RunEvent.WithPayload(RunEventKind.Chunk, null).EndsRun);
        Assert.True(RunEvent.WithPayload(RunEventKind.Result, null).EndsRun);
        Assert.True(RunEvent.Failed(ActionFailure.Cancelled).EndsRun);
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
