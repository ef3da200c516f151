using Genkit.Sidecar.Doctor;

namespace Genkit.Sidecar.Tests.Doctor;

public sealed class StepSequenceTests
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(1);

    private readonly List<Step> _steps = [];
    private readonly CancellationTokenSource _stop = new();

    [Fact]
    public async Task Examine_AfterAFailure_SkipsWithTheReason()
    {
        var sequence = Sequence(s_long);

        await ExamineAsync(sequence, "one", s_long, _ => Task.FromResult(Finding.Warning("so so", "do")));
        await ExamineAsync(sequence, "two", s_long, _ => Task.FromResult(Finding.Failed("no", "do")));
        await ExamineAsync(sequence, "three", s_long, _ => throw new InvalidOperationException("It was to be skipped"));

        Assert.Equal([StepStatus.Warning, StepStatus.Failed, StepStatus.Skipped], _steps.Select(step => step.Finding.Status));
        Assert.Equal("two failed", _steps[2].Finding.Found);
    }

    [Fact]
    public async Task Examine_Blocked_SkipsWithTheFirstReason()
    {
        var sequence = Sequence(s_long);
        sequence.Block("first");
        sequence.Block("second");

        await ExamineAsync(sequence, "one", s_long, _ => throw new InvalidOperationException("It was to be skipped"));

        Assert.Equal(Finding.Skipped("first"), Assert.Single(_steps).Finding with { Remedies = Finding.Skipped("").Remedies });
    }

    [Fact]
    public async Task Examine_NothingComesBack_FailsAtTheLimitWithWhatToDo()
    {
        // The step ignores its token.
        await ExamineAsync(Sequence(s_long), "one", TimeSpan.FromMilliseconds(100), _ => new TaskCompletionSource<Finding>().Task);

        var finding = Assert.Single(_steps).Finding;
        Assert.Equal(StepStatus.Failed, finding.Status);
        Assert.Equal("nothing came back within 0.1 s", finding.Found);
        Assert.Equal(["Ask louder"], finding.Remedies);
    }

    [Fact]
    public async Task Examine_HoldsItsThread_IsLeftBehindAtTheLimit()
    {
        using var never = new ManualResetEventSlim();

        await ExamineAsync(Sequence(s_long), "one", TimeSpan.FromMilliseconds(100), _ =>
        {
            never.Wait(TestContext.Current.CancellationToken);
            return Task.FromResult(Finding.Ok("too late"));
        });

        Assert.Equal("nothing came back within 0.1 s", Assert.Single(_steps).Finding.Found);
        never.Set();
    }

    [Fact]
    public async Task Examine_BudgetIsSpent_FailsBeforeTheLimit()
    {
        await ExamineAsync(Sequence(TimeSpan.FromMilliseconds(100)), "one", s_long, _ => new TaskCompletionSource<Finding>().Task);

        Assert.Equal("nothing came back within the 30 s that all steps have together", Assert.Single(_steps).Finding.Found);
    }

    [Fact]
    public async Task Examine_Stopped_Throws()
    {
        var examining = ExamineAsync(Sequence(s_long), "one", s_long, _ => new TaskCompletionSource<Finding>().Task);

        await _stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => examining);
        Assert.Empty(_steps);
    }

    private StepSequence Sequence(TimeSpan budget) => new(_steps.Add, new TimeBudget(budget), TimeProvider.System);

    private Task ExamineAsync(StepSequence sequence, string name, TimeSpan limit, Func<CancellationToken, Task<Finding>> examine) =>
        sequence.ExamineAsync(name, "trying", limit, examine, ["Ask louder"], _stop.Token).WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);
}
