using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.ReflectionV2;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Tests.ReflectionV2;

public class PendingRunsTests
{
    private readonly PendingRuns _pendingRuns = new();
    private readonly OutgoingQueue _queue = new();
    private readonly OutgoingQueue _nextQueue = new();

    [Fact]
    public void Add_Run_IsAnnouncedToTheConnectionThatItCameThrough()
    {
        var pending = PendingRunFactory.Create("1");

        _pendingRuns.Add(pending, _queue);

        Assert.Equal([pending], Announced(_queue));
    }

    [Fact]
    public void Hold_LiveRuns_AreSilentAndTheirInputEnds()
    {
        var pending = PendingRunFactory.Create("1", streamInput: true);
        _pendingRuns.Add(pending, _queue);
        Drain(_queue);

        Assert.Equal(1, _pendingRuns.Hold());
        pending.Run.TryFail(ActionFailure.Cancelled);

        Assert.Empty(Announced(_queue));
        Assert.Equal(RunInput.AddResult.Ended, pending.Run.Input!.Add(new ReadOnlySequence<byte>("1"u8.ToArray())));
        Assert.Equal(0, _pendingRuns.Hold());
    }

    [Fact]
    public void Resume_HeldRuns_GoOnThroughTheNextConnection()
    {
        var first = PendingRunFactory.Create("1");
        var second = PendingRunFactory.Create("2");
        _pendingRuns.Add(first, _queue);
        _pendingRuns.Add(second, _queue);
        _pendingRuns.Hold();
        Assert.Equal([first, second], Announced(_queue));

        Assert.Equal(2, _pendingRuns.Resume(_nextQueue));

        Assert.Empty(Announced(_queue));
        Assert.Equal(["1", "2"], Announced(_nextQueue).Select(pending => pending.Request.Text).Order());
        Assert.Equal(0, _pendingRuns.Resume(_nextQueue));
        Assert.Equal(2, _pendingRuns.Hold());
    }

    [Fact]
    public void Drop_HeldRuns_AreAbandonedAndLiveOnesGoOn()
    {
        var held = PendingRunFactory.Create("1");
        var live = PendingRunFactory.Create("2");
        _pendingRuns.Add(held, _queue);
        _pendingRuns.Hold();
        _pendingRuns.Add(live, _nextQueue);

        Assert.Equal(1, _pendingRuns.Drop());

        Assert.False(held.Run.TryFail(ActionFailure.Cancelled));
        Assert.False(held.Run.Outbox.TryRead(out _));
        Assert.True(live.Run.TryFail(ActionFailure.Cancelled));
        Assert.Equal(0, _pendingRuns.Drop());
    }

    /// <summary>A silent manager is presumed to be the one that requested the runs, until its first request proves that it is another.</summary>
    [Fact]
    public void Drop_RunsThatWereResumed_AreAbandonedToo()
    {
        var resumed = PendingRunFactory.Create("1");
        var live = PendingRunFactory.Create("2");
        _pendingRuns.Add(resumed, _queue);
        _pendingRuns.Hold();
        _pendingRuns.Resume(_nextQueue);
        _pendingRuns.Add(live, _nextQueue);

        Assert.Equal(1, _pendingRuns.Drop());

        Assert.False(resumed.Run.TryFail(ActionFailure.Cancelled));
        Assert.False(resumed.Run.Outbox.TryRead(out _));
        Assert.True(live.Run.TryFail(ActionFailure.Cancelled));
        Assert.Equal(1, _pendingRuns.Hold());
    }

    [Fact]
    public void Remove_AnsweredRun_IsForgotten()
    {
        var live = PendingRunFactory.Create("1");
        var held = PendingRunFactory.Create("2");
        var resumed = PendingRunFactory.Create("3");
        _pendingRuns.Add(resumed, _queue);
        _pendingRuns.Hold();
        _pendingRuns.Resume(_nextQueue);
        _pendingRuns.Remove(resumed);
        _pendingRuns.Add(held, _queue);
        _pendingRuns.Hold();
        _pendingRuns.Add(live, _queue);
        _pendingRuns.Remove(live);
        _pendingRuns.Remove(held);

        Assert.Equal(0, _pendingRuns.Drop());
        Assert.Equal(0, _pendingRuns.Hold());
    }

    private static List<PendingRun> Announced(OutgoingQueue queue)
    {
        var announced = new List<PendingRun>();
        while (queue.TryTakeRun(out var pending))
        {
            announced.Add(pending!);
        }

        return announced;
    }

    private static void Drain(OutgoingQueue queue)
    {
        foreach (var pending in Announced(queue))
        {
            while (pending.Run.Outbox.TryRead(out _))
            {
            }
        }
    }
}
