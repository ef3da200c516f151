using System.Buffers;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Runs;

public class RunEventTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(RunEvent.CopyLimit)]
    public void WithPayload_SmallPayload_IsACopyThatNobodyWaitsFor(int length)
    {
        var bytes = Bytes(length);
        var runEvent = RunEvent.WithPayload(RunEventKind.Chunk, Sequences.Every(100, bytes));
        var expected = bytes.ToArray();
        bytes.AsSpan().Clear();

        Assert.True(runEvent.Sent.IsCompletedSuccessfully);
        Assert.Equal(expected, runEvent.Payload!.Value.ToArray());
        Assert.Equal(length, runEvent.Length);
        runEvent.Release();
    }

    [Fact]
    public void WithPayload_LargePayload_StaysWhereItIsUntilReleased()
    {
        var bytes = Bytes(RunEvent.CopyLimit + 1);
        var runEvent = RunEvent.WithPayload(RunEventKind.Result, new ReadOnlySequence<byte>(bytes));

        Assert.True(runEvent.Payload!.Value.First.Equals(bytes));
        Assert.False(runEvent.Sent.IsCompleted);

        runEvent.Release();
        Assert.True(runEvent.Sent.IsCompletedSuccessfully);
    }

    [Fact]
    public void WithPayload_AbsentAndEmpty_AreNotTheSame()
    {
        Assert.Null(RunEvent.WithPayload(RunEventKind.Result, null).Payload);
        Assert.NotNull(RunEvent.WithPayload(RunEventKind.Result, ReadOnlySequence<byte>.Empty).Payload);
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
