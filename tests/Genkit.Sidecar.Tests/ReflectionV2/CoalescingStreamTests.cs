using Genkit.Sidecar.ReflectionV2;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.ReflectionV2;

public sealed class CoalescingStreamTests : IDisposable
{
    private readonly RecordingStream _inner = new();
    private readonly CoalescingStream _stream;

    public CoalescingStreamTests() => _stream = new CoalescingStream(_inner);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _stream.Dispose();

    [Fact]
    public async Task WriteAsync_Uncorked_PassesAtOnce()
    {
        await _stream.WriteAsync(Bytes(1, 10), Token);
        await _stream.WriteAsync(Bytes(2, 20), Token);

        Assert.Equal([10, 20], _inner.Writes);
    }

    [Fact]
    public async Task WriteAsync_Corked_IsGatheredUntilUncorked()
    {
        _stream.Cork();
        await _stream.WriteAsync(Bytes(1, 10), Token);
        await _stream.WriteAsync(Bytes(2, 20), Token);
        await _stream.FlushAsync(Token);
        Assert.Empty(_inner.Writes);

        await _stream.UncorkAsync(Token);
        Assert.Equal([30], _inner.Writes);
        Assert.Equal([.. Bytes(1, 10).ToArray(), .. Bytes(2, 20).ToArray()], _inner.Written);

        await _stream.UncorkAsync(Token);
        await _stream.WriteAsync(Bytes(3, 5), Token);
        Assert.Equal([30, 5], _inner.Writes);
    }

    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(1_000_000)]
    public async Task WriteAsync_LargeBufferInABurst_KeepsTheOrder(int length)
    {
        _stream.Cork();
        await _stream.WriteAsync(Bytes(1, 100), Token);
        await _stream.WriteAsync(Bytes(2, length), Token);
        await _stream.WriteAsync(Bytes(3, 100), Token);
        await _stream.UncorkAsync(Token);

        Assert.Equal([.. Bytes(1, 100).ToArray(), .. Bytes(2, length).ToArray(), .. Bytes(3, 100).ToArray()], _inner.Written);
    }

    [Fact]
    public async Task WriteAsync_BurstLargerThanTheBuffer_GoesOutInFewWrites()
    {
        _stream.Cork();
        for (var i = 0; i < 1_000; i++)
        {
            await _stream.WriteAsync(Bytes((byte)i, 1_000), Token);
        }

        await _stream.UncorkAsync(Token);

        Assert.Equal(1_000_000, _inner.Written.Length);
        Assert.InRange(_inner.Writes.Count, 15, 17);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task WriteAsync_UncorkedMeanwhile_EveryByteGoesOutOnceAndInOrder(int seed)
    {
        using var expected = new MemoryStream();
        var writing = Task.Run(
            async () =>
            {
                var random = new Random(seed);
                for (var i = 0; i < 2_000; i++)
                {
                    var bytes = Bytes((byte)i, random.Next(20) == 0 ? random.Next(60_000, 70_000) : random.Next(1, 500));
                    await _stream.WriteAsync(bytes, Token);
                    expected.Write(bytes.Span);
                }
            },
            Token);
        while (!writing.IsCompleted)
        {
            _stream.Cork();
            await Task.Yield();
            await _stream.UncorkAsync(Token);
        }

        await writing.WaitAsync(Timeouts.Default, Token);
        await _stream.UncorkAsync(Token);
        Assert.Equal(expected.ToArray(), _inner.Written);
    }

    [Fact]
    public async Task Read_Bytes_ComeFromTheStreamBelow()
    {
        using var below = new MemoryStream([1, 2, 3]);
        using var stream = new CoalescingStream(below);
        var buffer = new byte[2];

        Assert.Equal(2, await stream.ReadAsync(buffer.AsMemory(), Token));
        Assert.Equal([1, 2], buffer);
        Assert.True(stream is { CanRead: true, CanWrite: true, CanSeek: false });
    }

    [Fact]
    public void Dispose_Twice_DisposesTheStreamBelowOnce()
    {
        _stream.Dispose();
        _stream.Dispose();

        Assert.Equal(1, _inner.Disposals);
    }

    private static ReadOnlyMemory<byte> Bytes(byte value, int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }

    private sealed class RecordingStream : MemoryStream
    {
        public List<int> Writes { get; } = [];

        public byte[] Written => ToArray();

        public int Disposals { get; private set; }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // The caller's buffer must stay as it is until the write has ended, which a socket may take its time for.
            await Task.Yield();
            Writes.Add(buffer.Length);
            Write(buffer.Span);
        }

        protected override void Dispose(bool disposing)
        {
            Disposals++;
            base.Dispose(disposing);
        }
    }
}
