using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Tests.Infrastructure;

namespace Genkit.Sidecar.Tests.JsonRpc;

public class JsonRpcReaderTests
{
    private const string Frame =
        """ { "jsonrpc":"2.0","method" : "runAction", "params": {"key":"/flow/\u00e9€","input" : {"a":[1, 2]} ,"init":null,"context":"c","telemetryLabels":{"l":"v"},"stream":true,"streamInput":false,"runtimeId":"r","new":[{}]},"other":{"id":"no"},"id": "7\"x" } """;

    [Fact]
    public void Read_Frame_FindsEveryMember()
    {
        var message = Read(Frame);

        Assert.Equal("runAction", message.String(message.Method));
        Assert.Equal("/flow/é€", message.String(message.Key));
        Assert.Equal("""{"a":[1, 2]}""", Text(message, message.Input));
        Assert.Equal("null", Text(message, message.Init));
        Assert.Equal(JsonTokenType.Null, message.Init.Kind);
        Assert.Equal("\"c\"", Text(message, message.Context));
        Assert.Equal("""{"l":"v"}""", Text(message, message.TelemetryLabels));
        Assert.Equal(JsonTokenType.True, message.Stream.Kind);
        Assert.Equal(JsonTokenType.False, message.StreamInput.Kind);
        Assert.Equal(""" "7\"x" """.Trim(), Text(message, message.Id));
        Assert.Equal("7\"x", message.ReadId().Text);
        Assert.False(message.Chunk.IsPresent);
        Assert.False(message.Result.IsPresent);
    }

    [Fact]
    public void Read_UnknownMembers_AreCountedAndSkipped()
    {
        // `other` and `new` are unknown. `runtimeId` is known and ignored.
        Assert.Equal(2, Read(Frame).UnknownMembers);
    }

    [Fact]
    public void Read_FrameCutAnywhere_GivesTheSameSlices()
    {
        var bytes = Encoding.UTF8.GetBytes(Frame);
        var whole = Slices(Read(Frame));

        Assert.Equal(whole, Slices(Read(Sequences.Every(1, bytes))));
        for (var first = 0; first <= bytes.Length; first++)
        {
            Assert.Equal(whole, Slices(Read(Sequences.At(bytes, first))));
            Assert.Equal(whole, Slices(Read(Sequences.At(bytes, first, first))));
            for (var second = first; second <= bytes.Length; second += 5)
            {
                Assert.Equal(whole, Slices(Read(Sequences.At(bytes, first, second))));
            }
        }
    }

    [Fact]
    public void Read_MembersInAnyOrder_AreFound()
    {
        string[] members = ["\"jsonrpc\":\"2.0\"", "\"method\":\"m\"", "\"params\":{\"requestId\":\"9\",\"chunk\":[0]}", "\"id\":5"];
        foreach (var order in Permutations(members))
        {
            var message = Read("{" + string.Join(',', order) + "}");

            Assert.Equal("m", message.String(message.Method));
            Assert.Equal("5", message.ReadId().Text);
            Assert.Equal("9", message.String(message.RequestId));
            Assert.Equal("[0]", Text(message, message.Chunk));
        }
    }

    [Fact]
    public void Read_EscapedMemberNames_AreTheSameNames()
    {
        var bytes = Encoding.UTF8.GetBytes("""{"\u006dethod":"a","par\u0061ms":{"tr\u0061ceId":"t","\u0074ype":"x"},"\u0069d":"1"}""");
        foreach (var frame in (ReadOnlySequence<byte>[])[new(bytes), Sequences.Every(1, bytes), Sequences.Every(3, bytes)])
        {
            var message = Read(frame);

            Assert.Equal("a", message.String(message.Method));
            Assert.Equal("t", message.String(message.TraceId));
            Assert.Equal("x", message.String(message.Type));
            Assert.Equal("1", message.ReadId().Text);
        }
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\\udc00\\ud800")]
    [InlineData("i\\ud800")]
    [InlineData("k\\udfffy")]
    [InlineData("metho\\ud800d")]
    public void Read_LoneSurrogateInAName_IsAnUnknownMember(string name)
    {
        var message = Read($$"""{"{{name}}":1,"params":{"{{name}}":[2],"key":"k"},"id":"1"}""");

        Assert.Equal(2, message.UnknownMembers);
        Assert.Equal("k", message.String(message.Key));
        Assert.Equal("1", message.ReadId().Text);
        Assert.Equal(2, Read(Sequences.Every(1, Encoding.UTF8.GetBytes($$$"""{"{{{name}}}":1,"params":{"{{{name}}}":[2]}}"""))).UnknownMembers);
    }

    [Fact]
    public void Read_DuplicateMembers_TheLastCounts()
    {
        var message = Read("""{"id":"1","method":"a","params":{"input":1,"input":{"x":2}},"method":"b","id":"2"}""");

        Assert.Equal("b", message.String(message.Method));
        Assert.Equal("2", message.ReadId().Text);
        Assert.Equal("""{"x":2}""", Text(message, message.Input));
    }

    [Theory]
    [InlineData("""{"params":{"key":"a","input":1,"chunk":2,"stream":true,"traceId":"t","requestId":"r"},"params":{"init":3}}""")]
    [InlineData("""{"params":{"key":"a","init":0},"params":null,"params":{"init":3}}""")]
    public void Read_DuplicateParams_TheEarlierOnesAreGone(string frame)
    {
        var message = Read(frame);

        Assert.Equal("3", Text(message, message.Init));
        Assert.Equal("""{"init":3}""", Text(message, message.Params));
        Assert.Equal(
            default,
            (message.Key, message.Input, message.Chunk, message.Stream, message.TraceId, message.RequestId));
    }

    [Theory]
    [InlineData("null", JsonTokenType.Null)]
    [InlineData("[{\"key\":\"b\"}]", JsonTokenType.StartArray)]
    [InlineData("\"key\"", JsonTokenType.String)]
    public void Read_LaterParamsThatAreNoObject_HaveNoMembers(string second, JsonTokenType kind)
    {
        var message = Read($$"""{"params":{"key":"a"},"params":{{second}}}""");

        Assert.Equal(kind, message.Params.Kind);
        Assert.Equal(second, Text(message, message.Params));
        Assert.False(message.Key.IsPresent);
    }

    [Theory]
    [InlineData("[]", "it is an array; Reflection API v2 has no batches")]
    [InlineData("""[{"id":"1","method":"listActions"}]""", "it is an array; Reflection API v2 has no batches")]
    [InlineData("null", "it is not an object")]
    [InlineData("\"text\"", "it is not an object")]
    [InlineData("12", "it is not an object")]
    [InlineData("true", "it is not an object")]
    public void Read_NoObject_IsRefused(string frame, string problem)
    {
        Assert.Equal(problem, JsonRpcReader.Read(Bytes(frame), out _));
        Assert.Equal(problem, JsonRpcReader.Read(Sequences.Every(1, Encoding.UTF8.GetBytes(frame)), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("hello")]
    [InlineData("{")]
    [InlineData("""{"id":"1" """)]
    [InlineData("""{"id":"1"} x""")]
    [InlineData("""{"id":"1"}{"id":"2"}""")]
    [InlineData("""{"id":"1",}""")]
    [InlineData("""{"params":{"input":{"a":1]}}""")]
    [InlineData("""{"params":{"input":[}}""")]
    [InlineData("\uFEFF{}")]
    [InlineData("{}\0")]
    [InlineData("{\"params\":tru")]
    public void Read_Garbage_IsRefusedWithAReason(string frame)
    {
        Assert.NotNull(JsonRpcReader.Read(Bytes(frame), out _));
        var bytes = Encoding.UTF8.GetBytes(frame);
        Assert.NotNull(JsonRpcReader.Read(Sequences.Every(1, bytes), out _));
        Assert.NotNull(JsonRpcReader.Read(Sequences.At(bytes, bytes.Length / 2, bytes.Length), out _));
    }

    [Fact]
    public void Read_InvalidUtf8InsideAPayload_IsRefused()
    {
        byte[] frame = [.. "{\"params\":{\"input\":\""u8, 0xC3, .. "\"}}"u8];

        Assert.Equal("it is not valid UTF-8", JsonRpcReader.Read(new ReadOnlySequence<byte>(frame), out _));
    }

    [Fact]
    public void Read_DeepPayload_IsSliced()
    {
        var deep = new string('[', 10_000) + new string(']', 10_000);
        var frame = Encoding.UTF8.GetBytes($$"""{"method":"runAction","params":{"key":"k","input":{{deep}},"stream":false},"id":"1"}""");

        foreach (var bytes in (ReadOnlySequence<byte>[])[new(frame), Sequences.Every(1, frame), Sequences.Every(4096, frame)])
        {
            var message = Read(bytes);

            Assert.Equal(deep, Text(message, message.Input));
            Assert.Equal("1", message.ReadId().Text);
        }
    }

    [Fact]
    public void String_LoneSurrogate_IsNoString()
    {
        var message = Read("""{"method":"\ud800","id":"\udc00"}""");

        Assert.Null(message.String(message.Method));
        Assert.Equal("\"\\udc00\"", message.ReadId().Text);
    }

    [Theory]
    [InlineData("""{"code":1,"message":"no"}""", "no")]
    [InlineData("""{"data":{"message":"inner"},"message":"outer"}""", "outer")]
    [InlineData("""{"message":5,"data":[]}""", null)]
    [InlineData("""{"\ud800":1,"message":"after"}""", "after")]
    [InlineData("""{"message":"\ud800"}""", null)]
    [InlineData("{}", null)]
    [InlineData("null", null)]
    [InlineData("[1,[2]]", null)]
    [InlineData("\"text\"", null)]
    public void ReadErrorMessage_AnyErrorMember_GivesItsMessageOrNone(string error, string? expected)
    {
        Assert.Equal(expected, JsonRpcReader.ReadErrorMessage(Bytes(error)));
        Assert.Equal(expected, JsonRpcReader.ReadErrorMessage(Sequences.Every(1, Encoding.UTF8.GetBytes(error))));
    }

    private static ReceivedMessage Read(string frame) => Read(Bytes(frame));

    private static ReceivedMessage Read(in ReadOnlySequence<byte> frame)
    {
        Assert.Null(JsonRpcReader.Read(frame, out var message));
        return message;
    }

    private static ReadOnlySequence<byte> Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    private static string Text(in ReceivedMessage message, JsonSlice slice) => Encoding.UTF8.GetString(message.Bytes(slice));

    private static string Slices(ReceivedMessage message) => string.Join(' ', MessageSlices.Of(message));

    private static IEnumerable<string[]> Permutations(string[] items) =>
        items.Length <= 1
            ? [items]
            : items.SelectMany((item, index) => Permutations([.. items[..index], .. items[(index + 1)..]]).Select(rest => (string[])[item, .. rest]));
}
