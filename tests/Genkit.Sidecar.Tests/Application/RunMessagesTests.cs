using System.Buffers;
using System.Text;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Tests.Infrastructure;
using Google.Protobuf;

namespace Genkit.Sidecar.Tests.Application;

/// <summary>Messages that are encoded by hand are read by the generated types.</summary>
public class RunMessagesTests
{
    [Fact]
    public void RunAction_EveryField_IsReadBack()
    {
        var request = new RunRequest("/flow/é")
        {
            Input = Bytes("""{"a":9007199254740993}"""),
            Init = Bytes("null"),
            Context = Bytes("[]"),
            TelemetryLabels = new Dictionary<string, string> { ["a"] = "1", ["é"] = "" },
            Stream = true,
        };

        var expected = new V1.RunActionRequest
        {
            Key = "/flow/é",
            InputJson = ByteString.CopyFromUtf8("""{"a":9007199254740993}"""),
            InitJson = ByteString.CopyFromUtf8("null"),
            ContextJson = ByteString.CopyFromUtf8("[]"),
            Stream = true,
            TelemetryLabels = { ["a"] = "1", ["é"] = "" },
        };
        Assert.Equal(expected, V1.RunActionRequest.Parser.ParseFrom(RunMessages.RunAction(request)));
        Assert.Equal(
            new V1.RunBidiActionRequest { Start = expected },
            V1.RunBidiActionRequest.Parser.ParseFrom(RunMessages.Start(request)));
    }

    [Fact]
    public void RunAction_AbsentPayloads_AreUnset()
    {
        var read = V1.RunActionRequest.Parser.ParseFrom(RunMessages.RunAction(new RunRequest("k")));

        Assert.Equal(new V1.RunActionRequest { Key = "k" }, read);
        Assert.False(read.HasInputJson || read.HasInitJson || read.HasContextJson);
    }

    [Fact]
    public void RunAction_EmptyPayloads_AreSet()
    {
        var empty = ReadOnlySequence<byte>.Empty;
        var read = V1.RunActionRequest.Parser.ParseFrom(RunMessages.RunAction(new RunRequest("k") { Input = empty, Init = empty, Context = empty }));

        Assert.True(read.HasInputJson && read.HasInitJson && read.HasContextJson);
        Assert.Equal(0, read.InputJson.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData(2_097_151)]
    [InlineData(2_097_152)]
    [InlineData(5_000_000)]
    public void Messages_PayloadsOfEveryLengthInSegments_AreReadBack(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var payload = Sequences.Every(65_536, bytes);
        var expected = ByteString.CopyFrom(bytes);

        var request = new RunRequest("k") { Input = payload, Stream = true };
        Assert.Equal(
            new V1.RunActionRequest { Key = "k", InputJson = expected, Stream = true },
            V1.RunActionRequest.Parser.ParseFrom(RunMessages.RunAction(request)));
        Assert.Equal(
            new V1.RunBidiActionRequest { Start = new V1.RunActionRequest { Key = "k", InputJson = expected, Stream = true } },
            V1.RunBidiActionRequest.Parser.ParseFrom(RunMessages.Start(request)));
        Assert.Equal(
            new V1.RunBidiActionRequest { ChunkJson = expected },
            V1.RunBidiActionRequest.Parser.ParseFrom(RunMessages.InputChunk(payload)));
    }

    private static ReadOnlySequence<byte> Bytes(string text) => Sequences.Every(3, Encoding.UTF8.GetBytes(text));
}
