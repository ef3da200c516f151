using System.Buffers;
using System.Text;
using Genkit.Sidecar.Runs;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Runs;

public class RunInputTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadAsync_ChunksThenTheEnd_ComeInOrderAndCopied()
    {
        var input = new RunInput(1_000);
        var bytes = "\"a\""u8.ToArray();
        Assert.Equal(RunInput.AddResult.Added, input.Add(Sequences.Every(1, bytes)));
        bytes.AsSpan().Clear();
        Assert.Equal(RunInput.AddResult.Added, input.Add(Chunk("null")));
        input.Complete();
        input.Complete();

        Assert.Equal("\"a\""u8.ToArray(), await input.ReadAsync(Token));
        Assert.Equal("null"u8.ToArray(), await input.ReadAsync(Token));
        Assert.Null(await input.ReadAsync(Token));
        Assert.Null(await input.ReadAsync(Token));
    }

    [Fact]
    public async Task Add_PastTheBound_IsFullUntilSomethingIsTaken()
    {
        var input = new RunInput(1_000);
        var chunk = Chunk(new string('1', 400));

        Assert.Equal(RunInput.AddResult.Added, input.Add(chunk));
        Assert.Equal(RunInput.AddResult.Added, input.Add(chunk));
        Assert.Equal(RunInput.AddResult.Full, input.Add(chunk));

        await input.ReadAsync(Token);
        Assert.Equal(RunInput.AddResult.Added, input.Add(chunk));
        Assert.Equal(RunInput.AddResult.Full, input.Add(chunk));
    }

    [Fact]
    public void Add_EmptyChunks_AreBoundedToo()
    {
        var input = new RunInput(6_400);
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(RunInput.AddResult.Added, input.Add(ReadOnlySequence<byte>.Empty));
        }

        Assert.Equal(RunInput.AddResult.Full, input.Add(ReadOnlySequence<byte>.Empty));
    }

    [Fact]
    public async Task Add_ChunkLargerThanTheBound_GoesInAlone()
    {
        var input = new RunInput(100);
        var large = Chunk(new string('1', 10_000));

        Assert.Equal(RunInput.AddResult.Added, input.Add(large));
        Assert.Equal(RunInput.AddResult.Full, input.Add(Chunk("1")));
        Assert.Equal(10_000, (await input.ReadAsync(Token))!.Length);
        Assert.Equal(RunInput.AddResult.Added, input.Add(large));
    }

    [Fact]
    public void Add_AfterTheEnd_GoesNowhere()
    {
        var input = new RunInput(100);
        input.Complete();

        Assert.Equal(RunInput.AddResult.Ended, input.Add(Chunk("1")));
        Assert.Equal(RunInput.AddResult.Ended, input.Add(Chunk("1")));
    }

    [Fact]
    public void Add_AfterTheEndOfAFullQueue_IsNotOneTooMany()
    {
        var input = new RunInput(100);
        input.Add(Chunk(new string('1', 100)));
        Assert.Equal(RunInput.AddResult.Full, input.Add(Chunk("1")));
        input.Complete();

        Assert.Equal(RunInput.AddResult.Ended, input.Add(Chunk("1")));
    }

    [Fact]
    public async Task ReadAsync_NothingThereYet_WaitsForAChunkOrTheCancel()
    {
        var input = new RunInput(100);
        var reading = input.ReadAsync(Token).AsTask();
        Assert.False(reading.IsCompleted);
        input.Add(Chunk("1"));
        Assert.Equal("1"u8.ToArray(), await reading.WaitAsync(Timeouts.Default, Token));

        using var cancel = new CancellationTokenSource();
        var cancelled = input.ReadAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    private static ReadOnlySequence<byte> Chunk(string json) => new(Encoding.UTF8.GetBytes(json));
}
