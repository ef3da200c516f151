using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Runs;

namespace Genkit.Sidecar.Tests.Runs;

public sealed class OutboxReaderTests
{
    [Fact]
    public async Task Wait_EventComes_IsWoken()
    {
        var outbox = new RunOutbox();
        using var reader = new OutboxReader(outbox);
        Assert.False(reader.TryRead(out _));
        var waiting = reader.WaitAsync(TestContext.Current.CancellationToken);

        outbox.Post(RunEvent.Started);

        await waiting.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);
        Assert.True(reader.TryRead(out var runEvent));
        Assert.Equal(RunEventKind.Started, runEvent.Kind);
    }

    [Fact]
    public void Read_EventsWereThereBefore_AreReadInTheirOrder()
    {
        var outbox = new RunOutbox();
        outbox.Post(RunEvent.Started);
        outbox.Post(RunEvent.Failed(ActionFailure.Cancelled));

        using var reader = new OutboxReader(outbox);

        Assert.True(reader.TryRead(out var first));
        Assert.True(reader.TryRead(out var last));
        Assert.False(reader.TryRead(out _));
        Assert.Equal((RunEventKind.Started, RunEventKind.Failure), (first.Kind, last.Kind));
    }

    [Fact]
    public void Dispose_EventComesLater_IsLeftToTheNextReader()
    {
        var outbox = new RunOutbox();
        new OutboxReader(outbox).Dispose();

        outbox.Post(RunEvent.Started);

        using var next = new OutboxReader(outbox);
        Assert.True(next.TryRead(out _));
    }
}
