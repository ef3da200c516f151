using System.Buffers;
using System.Text;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Runs;

/// <summary>A run that writes while its readers attach and detach, and that may be cancelled.</summary>
public class RunOutboxStressTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Outbox_ProducerAndComingAndGoingReaders_NothingIsLostDoubledOrReordered(int seed)
    {
        var outbox = new RunOutbox();
        var events = new List<RunEvent>();
        using var readable = new SemaphoreSlim(0);
        var producing = Task.Run(() => ProduceAsync(outbox, new Random(seed), events), TestContext.Current.CancellationToken);
        var random = new Random(-seed);
        outbox.Attach(() => readable.Release());
        var read = new List<string>();
        var ended = false;
        while (!ended)
        {
            Assert.True(await readable.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken));
            while (!ended && outbox.TryRead(out var runEvent))
            {
                read.Add(Text(runEvent));
                ended = runEvent.EndsRun;
                runEvent.Release();
                if (random.Next(50) == 0)
                {
                    outbox.Detach();
                    outbox.Attach(() => readable.Release());
                }
            }
        }

        await producing.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);
        Assert.Equal([.. Enumerable.Range(0, events.Count - 1).Select(number => $"{number}"), "end"], read);
        Assert.All(events, runEvent => Assert.True(runEvent.Payload is null or { IsEmpty: true }));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Outbox_CancelledOrAbandonedMeanwhile_ReleasesEveryEvent(int seed)
    {
        var outbox = new RunOutbox();
        var events = new List<RunEvent>();
        var random = new Random(seed * 31);
        var producing = Task.Run(() => ProduceAsync(outbox, new Random(seed), events), TestContext.Current.CancellationToken);
        var ending = Task.Run(
            () =>
            {
                for (var reads = random.Next(300); reads > 0; reads--)
                {
                    if (outbox.TryRead(out var runEvent))
                    {
                        runEvent.Release();
                    }
                }

                outbox.Post(RunEvent.Failed(ActionFailure.Cancelled));
                outbox.Abandon();
            },
            TestContext.Current.CancellationToken);

        await Task.WhenAll(producing, ending).WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken);

        Assert.All(events, runEvent => Assert.True(runEvent.Payload is null or { IsEmpty: true }));
        Assert.False(outbox.TryRead(out _));
    }

    private static async Task ProduceAsync(RunOutbox outbox, Random random, List<RunEvent> events)
    {
        for (var number = 0; number < 300; number++)
        {
            var length = random.Next(8) == 0 ? 32_768 + random.Next(40_000) : random.Next(4, 3_000);
            var runEvent = Chunk(number, length);
            events.Add(runEvent);
            if (!await outbox.WriteAsync(runEvent))
            {
                return;
            }
        }

        var last = RunEvent.WithPayload(RunEventKind.Result, null);
        events.Add(last);
        outbox.Post(last);
    }

    /// <summary>The number, padded with spaces.</summary>
    private static RunEvent Chunk(int number, int length) =>
        RunEvent.WithPayload(RunEventKind.Chunk, new PayloadBuffer(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes($"{number}".PadRight(length)))));

    private static string Text(RunEvent runEvent) => runEvent.Payload is { } payload ? Encoding.UTF8.GetString(payload).TrimEnd() : "end";
}
