using Genkit.Sidecar.Health;
using Microsoft.Extensions.Time.Testing;

namespace Genkit.Sidecar.Tests.Health;

public sealed class ApplicationProbeTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Queue<TaskCompletionSource<string?>> _answers = new();
    private int _asked;

    [Fact]
    public async Task Ask_ManyAtATime_ShareOneCall()
    {
        var probe = Create(1);

        var asking = Enumerable.Range(0, 100).Select(_ => probe.AskAsync()).ToArray();
        Next().SetResult(null);

        Assert.All(await Task.WhenAll(asking), Assert.Null);
        Assert.Equal(1, _asked);
        Assert.True(probe.Answered);
    }

    [Fact]
    public async Task Ask_AnswerIsFresh_DoesNotAskAgain()
    {
        var probe = Create(2);
        Next().SetResult("away");
        await probe.AskAsync();

        _time.Advance(ApplicationProbe.Freshness - TimeSpan.FromMilliseconds(1));
        Assert.Equal("away", await probe.AskAsync());
        Assert.Equal(1, _asked);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Next().SetResult(null);
        Assert.Null(await probe.AskAsync());
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task Ask_ApplicationHangs_GivesUpAndReportsIt()
    {
        var probe = Create(1);

        var asking = probe.AskAsync();
        Assert.False(asking.IsCompleted);
        _time.Advance(ApplicationProbe.Limit);

        Assert.Equal("no answer to ListActions within 1.5 s", await asking);
        Assert.False(probe.Answered);
    }

    private TaskCompletionSource<string?> Next() => _answers.Dequeue();

    private ApplicationProbe Create(int calls)
    {
        var prepared = Enumerable.Range(0, calls).Select(_ => new TaskCompletionSource<string?>()).ToArray();
        Array.ForEach(prepared, _answers.Enqueue);
        return new ApplicationProbe(limit => prepared[_asked++].Task.WaitAsync(limit), _time);
    }
}
