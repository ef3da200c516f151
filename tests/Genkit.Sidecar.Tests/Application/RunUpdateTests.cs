using System.Buffers;
using System.Text;
using Genkit.Sidecar.Application;
using Genkit.Sidecar.Tests.Infrastructure;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Tests.Application;

public class RunUpdateTests
{
    [Fact]
    public void Decode_StockMessages_GiveTheirMembers()
    {
        AssertUpdate(new V1.RunActionResponse { ChunkJson = ByteString.CopyFromUtf8("[1]") }.ToByteArray(), RunUpdateKind.Chunk, "[1]");
        AssertUpdate(new V1.RunActionResponse { ChunkJson = ByteString.Empty }.ToByteArray(), RunUpdateKind.Chunk, "");
        AssertUpdate(Result(ByteString.CopyFromUtf8("null")), RunUpdateKind.Result, "null");
        AssertUpdate(Result(ByteString.Empty), RunUpdateKind.Result, "");
        AssertUpdate(Result(null), RunUpdateKind.Result, null);
        AssertUpdate(new V1.RunActionResponse { State = new V1.ActionState { TraceId = "t" } }.ToByteArray(), RunUpdateKind.State, null);
        AssertUpdate([], RunUpdateKind.None, null);
    }

    [Fact]
    public void Decode_Error_GivesAllOfIt()
    {
        var error = new V1.ActionError { Code = 5, Message = "m", Stack = "s", DetailsJson = ByteString.CopyFromUtf8("{}") };

        var update = RunUpdate.Decode(new ReadOnlySequence<byte>(new V1.RunActionResponse { Error = error }.ToByteArray()));

        Assert.Equal(RunUpdateKind.Error, update.Kind);
        Assert.Equal((StatusCode.NotFound, "m", "s"), (update.Failure!.Code, update.Failure.Message, update.Failure.Stack));
        Assert.Equal("{}"u8, update.Failure.Details.Span);
    }

    [Fact]
    public void Decode_BidiMessages_AreTheSameOnTheWire()
    {
        var json = ByteString.CopyFromUtf8("{}");

        Assert.Equal(new V1.RunActionResponse { ChunkJson = json }.ToByteArray(), new V1.RunBidiActionResponse { ChunkJson = json }.ToByteArray());
        Assert.Equal(Result(json), new V1.RunBidiActionResponse { Result = new V1.ActionResult { ResultJson = json } }.ToByteArray());
        Assert.Equal(
            new V1.RunActionResponse { Error = new V1.ActionError { Code = 1 } }.ToByteArray(),
            new V1.RunBidiActionResponse { Error = new V1.ActionError { Code = 1 } }.ToByteArray());
        Assert.Equal(
            new V1.RunActionResponse { State = new V1.ActionState() }.ToByteArray(),
            new V1.RunBidiActionResponse { State = new V1.ActionState() }.ToByteArray());
    }

    [Fact]
    public void Decode_OnlyField_IsASliceOfTheMessage()
    {
        var message = new V1.RunActionResponse { ChunkJson = ByteString.CopyFromUtf8("\"0123456789\"") }.ToByteArray();

        var payload = RunUpdate.Decode(new ReadOnlySequence<byte>(message)).Payload!.Value;

        Assert.True(payload.First.Equals(message.AsMemory(2)));
    }

    [Fact]
    public void Decode_TwoMembers_TheLastOneIsIt()
    {
        var chunk = new V1.RunActionResponse { ChunkJson = ByteString.CopyFromUtf8("1") }.ToByteArray();
        var other = new V1.RunActionResponse { ChunkJson = ByteString.CopyFromUtf8("2") }.ToByteArray();
        var result = Result(ByteString.CopyFromUtf8("3"));

        AssertUpdate([.. chunk, .. other], RunUpdateKind.Chunk, "2");
        AssertUpdate([.. chunk, .. result], RunUpdateKind.Result, "3");
        AssertUpdate([.. result, .. chunk], RunUpdateKind.Chunk, "1");
        AssertUpdate([.. result, .. Result(null)], RunUpdateKind.Result, "3");
    }

    [Theory]
    [InlineData("08 07")]
    [InlineData("F8 07 01")]
    [InlineData("7A 01 41")]
    [InlineData("7B 08 01 7C")]
    public void Decode_UnknownFieldsAround_AreIgnored(string hex)
    {
        byte[] unknown = [.. Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))];
        var chunk = new V1.RunActionResponse { ChunkJson = ByteString.CopyFromUtf8("1") }.ToByteArray();

        if (unknown[0] == 0x08)
        {
            // Field 1 with another wire type is an unknown field too.
            Assert.Equal(RunUpdateKind.None, RunUpdate.Decode(new ReadOnlySequence<byte>(unknown)).Kind);
        }

        AssertUpdate(unknown, RunUpdateKind.None, null);
        AssertUpdate([.. unknown, .. chunk], RunUpdateKind.Chunk, "1");
        AssertUpdate([.. chunk, .. unknown], RunUpdateKind.Chunk, "1");
    }

    [Fact]
    public void Decode_UnknownFieldInsideTheResult_IsIgnored()
    {
        byte[] result = [0x10, 0x05, .. new V1.ActionResult { ResultJson = ByteString.CopyFromUtf8("{}") }.ToByteArray()];

        AssertUpdate([0x1A, (byte)result.Length, .. result], RunUpdateKind.Result, "{}");
    }

    [Fact]
    public void Decode_LengthSpelledLong_IsTheSameLength()
    {
        AssertUpdate([0x12, 0x81, 0x00, (byte)'1'], RunUpdateKind.Chunk, "1");
        AssertUpdate([0x12, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, (byte)'1'], RunUpdateKind.Chunk, "1");
    }

    [Fact]
    public void Decode_TruncatedAnywhere_Throws()
    {
        byte[][] messages =
        [
            new V1.RunActionResponse { ChunkJson = ByteString.CopyFromUtf8(new string('1', 200)) }.ToByteArray(),
            Result(ByteString.CopyFromUtf8("[1,2,3]")),
            new V1.RunActionResponse { Error = new V1.ActionError { Code = 3, Message = "message" } }.ToByteArray(),
        ];
        foreach (var message in messages)
        {
            for (var length = 1; length < message.Length; length++)
            {
                var truncated = new ReadOnlySequence<byte>(message, 0, length);

                Assert.Throws<InvalidProtocolBufferException>(() => RunUpdate.Decode(truncated));
            }
        }
    }

    private static byte[] Result(ByteString? json)
    {
        var result = new V1.ActionResult();
        if (json is not null)
        {
            result.ResultJson = json;
        }

        return new V1.RunActionResponse { Result = result }.ToByteArray();
    }

    private static void AssertUpdate(byte[] message, RunUpdateKind kind, string? payload)
    {
        List<ReadOnlySequence<byte>> cuts = [new(message), Sequences.Every(1, message)];
        for (var cut = 0; cut <= message.Length; cut++)
        {
            cuts.Add(Sequences.At(message, cut));
            cuts.Add(Sequences.At(message, cut, cut));
        }

        foreach (var bytes in cuts)
        {
            var update = RunUpdate.Decode(bytes);

            Assert.Equal(kind, update.Kind);
            Assert.Equal(payload, update.Payload is { } json ? Encoding.UTF8.GetString(json) : null);
        }
    }
}
