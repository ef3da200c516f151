using System.Buffers;
using Genkit.Sidecar.Telemetry;

namespace Genkit.Sidecar.Tests.Telemetry;

public class SpanBodyTests
{
    [Fact]
    public void Body_ManySegments_KeepsTheirOrder()
    {
        var body = new SpanBody();
        var written = Enumerable.Range(0, 1_000_000).Select(i => (byte)i).ToArray();
        for (var (start, length) = (0, 1); start < written.Length; start += length, length = (length * 3) + 1)
        {
            body.Write(written.AsSpan(start, Math.Min(length, written.Length - start)));
        }

        using var copy = new MemoryStream();
        Assert.True(body.CopyToAsync(copy, CancellationToken.None).IsCompletedSuccessfully);

        Assert.Equal(written, copy.ToArray());
        body.Release();
    }

    [Fact]
    public async Task Body_ReleasedWhileItIsCopied_IsKeptUntilThatHasEnded()
    {
        var body = new SpanBody();
        body.Write("a"u8);
        using var stream = new GatedStream();

        var copying = body.CopyToAsync(stream, CancellationToken.None);
        body.Release();
        stream.Open.SetResult();
        await copying;

        await Assert.ThrowsAsync<ObjectDisposedException>(() => body.CopyToAsync(stream, CancellationToken.None));
    }

    private sealed class GatedStream : MemoryStream
    {
        public TaskCompletionSource Open { get; } = new();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => await Open.Task;
    }
}
