using System.Buffers;
using System.Text;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Runs;

public class RunOutboxTests
{
    private readonly RunOutbox _outbox = new();
    private int _announcements;

    [Fact]
    public void TryRead_WhatWasPosted_ComesInOrder()
    {
        _outbox.Post(RunEvent.Started);
        _outbox.Post(Chunk("1"));
        _outbox.Post(Chunk("2"));
        _outbox.Post(RunEvent.Failed(ActionFailure.Cancelled));

        Assert.Equal(["Started", "Chunk 1", "Chunk 2", "Failure"], ReadAll());
        Assert.False(_outbox.TryRead(out _));
    }

    [Fact]
    public async Task WriteAsync_FullOutbox_WaitsUntilThereIsRoom()
    {
        Fill();
        var waiting = _outbox.WriteAsync(Chunk("\"late\"")).AsTask();
        Assert.False(waiting.IsCompleted);

        Assert.True(_outbox.TryRead(out var first));
        first.Release();

        Assert.True(await waiting.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken));
        Assert.Equal("Chunk \"late\"", ReadAll()[^1]);
    }

    [Fact]
    public async Task WriteAsync_EmptyChunks_AreBoundedToo()
    {
        var written = 0;
        while (_outbox.WriteAsync(Chunk("")).AsTask() is { IsCompletedSuccessfully: true } write)
        {
            Assert.True(await write);
            Assert.InRange(++written, 1, RunOutbox.CapacityBytes);
        }

        Assert.InRange(written, 100, 10_000);
    }

    [Fact]
    public async Task WriteAsync_PayloadOverTheCapacity_GoesInAlone()
    {
        Assert.True(await _outbox.WriteAsync(LargeChunk()));

        var next = _outbox.WriteAsync(Chunk("1")).AsTask();
        Assert.False(next.IsCompleted);

        // One read makes room, so the other chunk may be written before a second read.
        Assert.True(_outbox.TryRead(out var alone));
        Assert.Equal(LargeText.Length, alone.Length);
        alone.Release();
        Assert.True(await next.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken));
        Assert.Equal(["Chunk 1"], ReadAll());
    }

    [Fact]
    public async Task Post_LastEvent_PassesAFullOutboxAndEndsTheWaiting()
    {
        Fill();
        var late = LargeChunk();
        var waiting = _outbox.WriteAsync(late).AsTask();

        Assert.True(_outbox.Post(RunEvent.Failed(ActionFailure.Cancelled)));

        Assert.False(await waiting.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken));
        Assert.True(late.Payload!.Value.IsEmpty);
        Assert.Equal("Failure", ReadAll()[^1]);
    }

    [Fact]
    public async Task Post_AfterTheEnd_GoesNowhere()
    {
        _outbox.Post(RunEvent.WithPayload(RunEventKind.Result, null));
        var late = LargeChunk();

        Assert.False(_outbox.Post(late));
        Assert.False(await _outbox.WriteAsync(Chunk("1")));
        Assert.False(_outbox.Post(RunEvent.Failed(ActionFailure.Cancelled)));

        Assert.True(late.Payload!.Value.IsEmpty);
        Assert.Equal(["Result"], ReadAll());
    }

    [Fact]
    public async Task Abandon_FullOutbox_ReleasesAllAndEndsTheWaiting()
    {
        var queued = LargeChunk();
        var late = LargeChunk();
        _outbox.Attach(() => _announcements++);
        _outbox.Post(queued);
        Fill();
        var waiting = _outbox.WriteAsync(late).AsTask();

        _outbox.Abandon();

        Assert.False(await waiting.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken));
        Assert.True(queued.Payload!.Value.IsEmpty);
        Assert.True(late.Payload!.Value.IsEmpty);
        Assert.False(_outbox.TryRead(out _));
        Assert.False(_outbox.Post(RunEvent.Started));
        _outbox.Attach(() => _announcements++);
        Assert.Equal(1, _announcements);
    }

    [Fact]
    public void Attach_WhatIsQueued_IsAnnouncedOnceUntilFoundEmpty()
    {
        _outbox.Post(RunEvent.Started);
        _outbox.Attach(() => _announcements++);
        _outbox.Post(Chunk("1"));
        Assert.Equal(1, _announcements);

        Assert.True(_outbox.TryRead(out _));
        _outbox.Post(Chunk("2"));
        Assert.Equal(1, _announcements);

        Assert.Equal(2, ReadAll().Count);
        Assert.Equal(1, _announcements);
        _outbox.Post(Chunk("3"));
        Assert.Equal(2, _announcements);
    }

    [Fact]
    public void Attach_EmptyOutbox_IsSilentUntilSomethingCame()
    {
        _outbox.Attach(() => _announcements++);
        Assert.Equal(0, _announcements);

        _outbox.Post(RunEvent.Started);
        Assert.Equal(1, _announcements);
    }

    [Fact]
    public void Detach_Reader_HearsNothingAndTheNextOneHearsOnce()
    {
        _outbox.Attach(() => _announcements++);
        _outbox.Post(RunEvent.Started);
        _outbox.Detach();
        _outbox.Post(Chunk("1"));
        Assert.Equal(1, _announcements);

        var next = 0;
        _outbox.Attach(() => next++);
        _outbox.Post(Chunk("2"));

        Assert.Equal(1, next);
        Assert.Equal(1, _announcements);
        Assert.Equal(["Started", "Chunk 1", "Chunk 2"], ReadAll());
    }

    [Fact]
    public async Task Detach_FullOutbox_KeepsTheRunWaiting()
    {
        _outbox.Attach(() => _announcements++);
        Fill();
        var waiting = _outbox.WriteAsync(Chunk("1")).AsTask();

        _outbox.Detach();
        Assert.False(waiting.IsCompleted);

        ReadAll();
        Assert.True(await waiting.WaitAsync(Timeouts.Default, TestContext.Current.CancellationToken));
    }

    private static string LargeText { get; } = "\"" + new string('x', RunOutbox.CapacityBytes) + "\"";

    private static RunEvent Chunk(string json) => RunEvent.WithPayload(RunEventKind.Chunk, new PayloadBuffer(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json))));

    private static RunEvent LargeChunk() => Chunk(LargeText);

    private void Fill()
    {
        var kilobyte = "\"" + new string('x', 1022) + "\"";
        const int OverheadBytes = 64;
        for (var filled = 0; filled < RunOutbox.CapacityBytes; filled += 1024 + OverheadBytes)
        {
            _outbox.Post(Chunk(kilobyte));
        }
    }

    private List<string> ReadAll()
    {
        var read = new List<string>();
        while (_outbox.TryRead(out var runEvent))
        {
            read.Add(runEvent.Payload is { } payload ? $"{runEvent.Kind} {Encoding.UTF8.GetString(payload)}" : $"{runEvent.Kind}");
            runEvent.Release();
        }

        return read;
    }
}
