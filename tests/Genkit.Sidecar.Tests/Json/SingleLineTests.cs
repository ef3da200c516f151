using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.Json;

public sealed class SingleLineTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("{\r\n  \"a\": [1,\n2]\r}\n", "{    \"a\": [1, 2] } ")]
    [InlineData("\"a\\nb\\r\"", "\"a\\nb\\r\"")]
    [InlineData("\"\u2028\u2029\u0085\"", "\"\u2028\u2029\u0085\"")]
    [InlineData("\"\u010a\u0a0d\U0001F60A\"", "\"\u010a\u0a0d\U0001F60A\"")]
    [InlineData("\n\n1\r\r", "  1  ")]
    [InlineData("", "")]
    public async Task Write_HoweverCut_TurnsLineBreaksAloneIntoSpaces(string json, string line)
    {
        var bytes = Encoding.UTF8.GetBytes(json);

        for (var size = 1; size <= bytes.Length + 1; size++)
        {
            Assert.Equal(line, Encoding.UTF8.GetString(await WrittenAsync(Sequences.Every(size, bytes))));
        }
    }

    [Fact]
    public async Task Write_Payload_IsLeftAsItWas()
    {
        var payload = "[\n1\r]"u8.ToArray();

        await WrittenAsync(new ReadOnlySequence<byte>(payload));

        Assert.Equal("[\n1\r]"u8.ToArray(), payload);
    }

    [Fact]
    public async Task Write_LargePayloadInPieces_IsTheSameButForItsLineBreaks()
    {
        var random = new Random(20261121);
        var payload = new byte[1_000_000];
        random.NextBytes(payload);

        var written = await WrittenAsync(Sequences.Randomly(random, payload, 20));

        Assert.Equal(payload.Select(b => b is (byte)'\n' or (byte)'\r' ? (byte)' ' : b), written);
    }

    [Fact]
    public async Task Write_ReaderThatDoesNotRead_MakesTheWriterWait()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 1024));

        var writing = SingleLine.WriteAsync(pipe.Writer, new ReadOnlySequence<byte>(new byte[1_000_000]), Cancellation).AsTask();
        var first = await pipe.Reader.ReadAsync(Cancellation);

        Assert.False(writing.IsCompleted);
        Assert.InRange(first.Buffer.Length, 1, 128 * 1024);
        using var stop = new CancellationTokenSource();
        var other = new Pipe(new PipeOptions(pauseWriterThreshold: 1024, resumeWriterThreshold: 512));
        var cancelled = SingleLine.WriteAsync(other.Writer, new ReadOnlySequence<byte>(new byte[1_000_000]), stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Timeouts.Default, Cancellation));
    }

    [Fact]
    public async Task Write_PipeThatGivesNoRoomUnlessAsked_Ends()
    {
        var pipe = new MeanPipe();

        await SingleLine.WriteAsync(pipe, new ReadOnlySequence<byte>("[\n1]"u8.ToArray()), Cancellation);

        Assert.Equal("[ 1]", pipe.Text);
    }

    /// <summary>Throws as Kestrel's writer does after the client has disconnected.</summary>
    private sealed class MeanPipe : PipeWriter
    {
        private readonly ArrayBufferWriter<byte> _written = new();

        public string Text => Encoding.UTF8.GetString(_written.WrittenSpan);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _written.GetMemory(Math.Max(sizeHint, 1))[..sizeHint];

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes) => _written.Advance(bytes);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }

    private static async Task<byte[]> WrittenAsync(ReadOnlySequence<byte> payload)
    {
        using var output = new MemoryStream();
        var pipe = PipeWriter.Create(output, new StreamPipeWriterOptions(leaveOpen: true, minimumBufferSize: 16));
        await SingleLine.WriteAsync(pipe, payload, Cancellation);
        await pipe.CompleteAsync();
        return output.ToArray();
    }
}
