using Genkit.Sidecar.Endpoints.ReflectionV2;

namespace Genkit.Sidecar.Tests.Endpoints.ReflectionV2;

public sealed class FrameStreamTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_TwoWriters_EachWriteIsCompletedBeforeTheNext()
    {
        using var below = new SlowStream();
        await using var stream = new FrameStream(below);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () => await stream.WriteAsync(Bytes((byte)i, 10), Token), Token)))
            .WaitAsync(Timeouts.Default, Token);

        Assert.Equal(100, below.Written.Chunk(10).Count(frame => frame.Distinct().Count() == 1));
    }

    [Fact]
    public async Task WriteAsync_CancelledWhileAnotherWriteGoesOn_LeavesTheStreamUsable()
    {
        using var below = new SlowStream();
        await using var stream = new FrameStream(below);
        using var source = new CancellationTokenSource();
        var hold = below.HoldNextWrite();
        var first = stream.WriteAsync(Bytes(1, 10), Token);

        var second = stream.WriteAsync(Bytes(2, 10), source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await second);
        hold.SetResult();
        await first;
        await stream.WriteAsync(Bytes(3, 10), Token);

        Assert.Equal([.. Bytes(1, 10).ToArray(), .. Bytes(3, 10).ToArray()], below.Written);
    }

    [Fact]
    public async Task Read_Bytes_ComeFromTheStreamBelow()
    {
        using var below = new MemoryStream([1, 2, 3]);
        await using var stream = new FrameStream(below);
        var buffer = new byte[2];

        Assert.Equal(2, await stream.ReadAsync(buffer.AsMemory(), Token));
        Assert.Equal([1, 2], buffer);
        Assert.True(stream is { CanRead: true, CanWrite: true, CanSeek: false });
    }

    [Fact]
    public void Dispose_Twice_DisposesTheStreamBelowOnce()
    {
        var below = new SlowStream();
        var stream = new FrameStream(below);

        stream.Dispose();
        stream.Dispose();

        Assert.Equal(1, below.Disposals);
    }

    private static ReadOnlyMemory<byte> Bytes(byte value, int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }

    /// <summary>Writes one byte at a time, as a socket may accept a buffer in parts.</summary>
    private sealed class SlowStream : MemoryStream
    {
        private TaskCompletionSource? _hold;

        public byte[] Written => ToArray();

        public int Disposals { get; private set; }

        public TaskCompletionSource HoldNextWrite() => _hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_hold is { } hold)
            {
                _hold = null;
                await hold.Task;
            }

            foreach (var value in buffer.ToArray())
            {
                await Task.Yield();
                WriteByte(value);
            }
        }

        protected override void Dispose(bool disposing)
        {
            Disposals++;
            base.Dispose(disposing);
        }
    }
}
