using System.Buffers;
using Genkit.Sidecar.Endpoints.ReflectionV2;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Tests.Infrastructure;
using Genkit.Sidecar.Tests.JsonRpc;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

public class OutgoingQueueTests
{
    private readonly OutgoingQueue _queue = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void TryTakeAnswer_SeveralAnswers_ComeInOrder()
    {
        _queue.Add(frame => frame.Text.Write("1"u8));
        _queue.Add(frame => frame.Text.Write("2"u8));

        Assert.Equal(["1", "2"], TakeAnswers());
        Assert.False(_queue.TryTakeAnswer(out var none));
        Assert.Null(none);
    }

    [Fact]
    public void TryTakeRun_AnnouncedAgain_GoesToTheEndOfTheRow()
    {
        var (a, b, c) = (PendingRequestFactory.Create("a"), PendingRequestFactory.Create("b"), PendingRequestFactory.Create("c"));
        _queue.Announce(a);
        _queue.Announce(b);
        _queue.Announce(c);
        var order = "";
        for (var turn = 0; turn < 6; turn++)
        {
            Assert.True(_queue.TryTakeRun(out var pending));
            order += pending!.Request.Text;
            _queue.Announce(pending);
        }

        Assert.Equal("abcabc", order);
    }

    [Fact]
    public void TryTakeAnswer_RunsBefore_AreOvertaken()
    {
        _queue.Announce(PendingRequestFactory.Create("a"));
        _queue.Add(frame => frame.Text.Write("cancel"u8));

        Assert.Equal(["cancel"], TakeAnswers());
        Assert.True(_queue.TryTakeRun(out _));
    }

    [Fact]
    public async Task WaitAsync_NothingThere_WaitsForAnAnswerARunOrTheEnd()
    {
        await AssertWakesAsync(() => _queue.Add(_ => { }));
        _queue.TryTakeAnswer(out _);
        await AssertWakesAsync(() => _queue.Announce(PendingRequestFactory.Create("a")));
        _queue.TryTakeRun(out _);
        await AssertWakesAsync(_queue.Finish);
        await _queue.WaitAsync(Token);
    }

    [Fact]
    public async Task WaitAsync_Cancelled_DoesNotSpoilTheNextOne()
    {
        using var cancel = new CancellationTokenSource();
        var waiting = _queue.WaitAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        _queue.Add(_ => { });
        await _queue.WaitAsync(Token);
    }

    [Fact]
    public void IsFinished_SomethingLeft_IsNotYet()
    {
        _queue.Add(_ => { });
        _queue.Announce(PendingRequestFactory.Create("a"));
        Assert.False(_queue.IsFinished);
        _queue.Finish();
        Assert.False(_queue.IsFinished);
        _queue.TryTakeAnswer(out _);
        Assert.False(_queue.IsFinished);
        _queue.TryTakeRun(out _);

        Assert.True(_queue.IsFinished);
    }

    [Fact]
    public async Task WaitForRoomAsync_TooManyAnswers_WaitsUntilOneIsTaken()
    {
        var added = 0;
        while (_queue.WaitForRoomAsync(Token).IsCompleted)
        {
            _queue.Add(_ => { });
            Assert.InRange(++added, 1, 100_000);
        }

        var waiting = _queue.WaitForRoomAsync(Token);
        Assert.False(waiting.IsCompleted);
        _queue.TryTakeAnswer(out _);
        await waiting.WaitAsync(Timeouts.Default, Token);
    }

    [Fact]
    public async Task Queue_ProducersAndOneWriter_NoWakeUpIsLost()
    {
        const int PerProducer = 5_000;
        var producers = Enumerable.Range(0, 3).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < PerProducer; i++)
                {
                    await _queue.WaitForRoomAsync(Token);
                    _queue.Add(_ => { });
                }
            },
            Token)).ToList();
        var taken = 0;
        while (taken < 3 * PerProducer)
        {
            await _queue.WaitAsync(Token).WaitAsync(Timeouts.Default, Token);
            while (_queue.TryTakeAnswer(out _))
            {
                taken++;
            }
        }

        await Task.WhenAll(producers).WaitAsync(Timeouts.Default, Token);
        Assert.False(_queue.TryTakeAnswer(out _));
    }

    private async Task AssertWakesAsync(Action wake)
    {
        var waiting = _queue.WaitAsync(Token);
        Assert.False(waiting.IsCompleted);
        wake();
        await waiting.WaitAsync(Timeouts.Default, Token);
    }

    private List<string> TakeAnswers()
    {
        var answers = new List<string>();
        while (_queue.TryTakeAnswer(out var answer))
        {
            var frame = new OutgoingFrame();
            answer!(frame);
            answers.Add(FrameText.Of(frame));
        }

        return answers;
    }
}
