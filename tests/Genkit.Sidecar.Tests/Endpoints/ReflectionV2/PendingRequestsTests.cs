using System.Buffers;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

public class PendingRequestsTests
{
    private readonly PendingRequests _pendingRequests = new();
    private readonly OutgoingQueue _queue = new();
    private readonly OutgoingQueue _nextQueue = new();

    [Fact]
    public void Add_Run_IsAnnouncedToTheConnectionThatItCameThrough()
    {
        var pending = PendingRequestFactory.Create("1");

        _pendingRequests.Add(pending, _queue);

        Assert.Equal([pending], Announced(_queue));
    }

    [Fact]
    public void Hold_LiveRuns_AreSilentAndTheirInputEnds()
    {
        var pending = PendingRequestFactory.Create("1", streamInput: true);
        _pendingRequests.Add(pending, _queue);
        Drain(_queue);

        Assert.Equal(1, _pendingRequests.Hold());
        pending.Run.TryFail(ActionFailure.Cancelled);

        Assert.Empty(Announced(_queue));
        Assert.Equal(RunInput.AddResult.Ended, pending.Run.Input!.Add(new ReadOnlySequence<byte>("1"u8.ToArray())));
        Assert.Equal(0, _pendingRequests.Hold());
    }

    [Fact]
    public void Resume_HeldRuns_GoOnThroughTheNextConnection()
    {
        var first = PendingRequestFactory.Create("1");
        var second = PendingRequestFactory.Create("2");
        _pendingRequests.Add(first, _queue);
        _pendingRequests.Add(second, _queue);
        _pendingRequests.Hold();
        Assert.Equal([first, second], Announced(_queue));

        Assert.Equal(2, _pendingRequests.Resume(_nextQueue));

        Assert.Empty(Announced(_queue));
        Assert.Equal(["1", "2"], Announced(_nextQueue).Select(pending => pending.Request.Text).Order());
        Assert.Equal(0, _pendingRequests.Resume(_nextQueue));
        Assert.Equal(2, _pendingRequests.Hold());
    }

    [Fact]
    public void Drop_HeldRuns_AreAbandonedAndLiveOnesGoOn()
    {
        var held = PendingRequestFactory.Create("1");
        var live = PendingRequestFactory.Create("2");
        _pendingRequests.Add(held, _queue);
        _pendingRequests.Hold();
        _pendingRequests.Add(live, _nextQueue);

        Assert.Equal(1, _pendingRequests.Drop());

        Assert.False(held.Run.TryFail(ActionFailure.Cancelled));
        Assert.False(held.Run.Outbox.TryRead(out _));
        Assert.True(live.Run.TryFail(ActionFailure.Cancelled));
        Assert.Equal(0, _pendingRequests.Drop());
    }

    /// <summary>A silent manager is presumed to be the one that requested the runs, until its first request proves that it is another.</summary>
    [Fact]
    public void Drop_RunsThatWereResumed_AreAbandonedToo()
    {
        var resumed = PendingRequestFactory.Create("1");
        var live = PendingRequestFactory.Create("2");
        _pendingRequests.Add(resumed, _queue);
        _pendingRequests.Hold();
        _pendingRequests.Resume(_nextQueue);
        _pendingRequests.Add(live, _nextQueue);

        Assert.Equal(1, _pendingRequests.Drop());

        Assert.False(resumed.Run.TryFail(ActionFailure.Cancelled));
        Assert.False(resumed.Run.Outbox.TryRead(out _));
        Assert.True(live.Run.TryFail(ActionFailure.Cancelled));
        Assert.Equal(1, _pendingRequests.Hold());
    }

    [Fact]
    public void Remove_AnsweredRun_IsForgotten()
    {
        var live = PendingRequestFactory.Create("1");
        var held = PendingRequestFactory.Create("2");
        var resumed = PendingRequestFactory.Create("3");
        _pendingRequests.Add(resumed, _queue);
        _pendingRequests.Hold();
        _pendingRequests.Resume(_nextQueue);
        _pendingRequests.Remove(resumed);
        _pendingRequests.Add(held, _queue);
        _pendingRequests.Hold();
        _pendingRequests.Add(live, _queue);
        _pendingRequests.Remove(live);
        _pendingRequests.Remove(held);

        Assert.Equal(0, _pendingRequests.Drop());
        Assert.Equal(0, _pendingRequests.Hold());
    }

    private static List<PendingRequest> Announced(OutgoingQueue queue)
    {
        var announced = new List<PendingRequest>();
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
