using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Tests.Infrastructure;
using Grpc.Core;

namespace Genkit.Sidecar.Tests.JsonRpc;

public class JsonRpcWriterTests
{
    private const string TraceId = "d16ff28bd34393e268e9aad5d38744d0";
    private const string Nasty = "q\" b\\ </script> \u0000\u001f\u007f\u2028 é€😀 \ud800 end";

    private readonly OutgoingFrame _frame = new();

    [Fact]
    public void Register_NastyNames_StayOneFrame()
    {
        JsonRpcWriter.Register(_frame, "register", new Registration(Nasty, 1, Nasty, Nasty, [Nasty, "dev"]));

        using var document = Parsed();
        var parameters = document.RootElement.GetProperty("params");
        Assert.Equal(Nasty.Replace('\ud800', '\uFFFD'), parameters.GetProperty("name").GetString());
        Assert.Equal(2, parameters.GetProperty("envs").GetArrayLength());
        Assert.Equal(JsonValueKind.String, document.RootElement.GetProperty("id").ValueKind);
    }

    [Theory]
    [InlineData("\"5\"", "\"5\"")]
    [InlineData("5", "\"5\"")]
    [InlineData("\"a\\\"\\u00e9\"", "\"a\\\"\\u00e9\"")]
    public void Notifications_AnyRequestId_NameItAsAString(string token, string requestId)
    {
        JsonRpcWriter.RunActionState(_frame, Id(token), TraceId);
        Assert.Equal($$$$"""{"jsonrpc":"2.0","method":"runActionState","params":{"requestId":{{{{requestId}}}},"state":{"traceId":"{{{{TraceId}}}}"}}}""", FrameText.Of(_frame));

        _frame.Clear();
        JsonRpcWriter.StreamChunk(_frame, Id(token), Payload("null"));
        Assert.Equal($$$$"""{"jsonrpc":"2.0","method":"streamChunk","params":{"requestId":{{{{requestId}}}},"chunk":null}}""", FrameText.Of(_frame));
    }

    [Theory]
    [InlineData("\"5\"")]
    [InlineData("5")]
    [InlineData("-0")]
    [InlineData("\"a\\\"\\u00e9\"")]
    public void Answers_AnyRequestId_EchoItsToken(string token)
    {
        JsonRpcWriter.RunActionResult(_frame, Id(token), Payload("1"), TraceId);
        Assert.Equal($$$$"""{"jsonrpc":"2.0","result":{"result":1,"telemetry":{"traceId":"{{{{TraceId}}}}"}},"id":{{{{token}}}}}""", FrameText.Of(_frame));

        _frame.Clear();
        JsonRpcWriter.Result(_frame, Id(token), "actions"u8, Payload("{}"));
        Assert.Equal($$$$"""{"jsonrpc":"2.0","result":{"actions":{}},"id":{{{{token}}}}}""", FrameText.Of(_frame));

        _frame.Clear();
        JsonRpcWriter.EmptyResult(_frame, Id(token));
        Assert.Equal($$$$"""{"jsonrpc":"2.0","result":{},"id":{{{{token}}}}}""", FrameText.Of(_frame));

        _frame.Clear();
        JsonRpcWriter.Error(_frame, Id(token), JsonRpcErrorCode.InvalidParams, new ActionFailure(StatusCode.NotFound, "no"), null);
        Assert.Equal($$$$"""{"jsonrpc":"2.0","error":{"code":-32602,"message":"no","data":{"code":5,"message":"no","details":{}}},"id":{{{{token}}}}}""", FrameText.Of(_frame));
    }

    [Fact]
    public void RunActionResult_AbsentAndNull_AreNotTheSame()
    {
        JsonRpcWriter.RunActionResult(_frame, Id("\"1\""), null, TraceId);
        Assert.Equal($$$$"""{"jsonrpc":"2.0","result":{"telemetry":{"traceId":"{{{{TraceId}}}}"}},"id":"1"}""", FrameText.Of(_frame));

        _frame.Clear();
        JsonRpcWriter.RunActionResult(_frame, Id("\"1\""), Payload("null"), TraceId);
        Assert.Equal($$$$"""{"jsonrpc":"2.0","result":{"result":null,"telemetry":{"traceId":"{{{{TraceId}}}}"}},"id":"1"}""", FrameText.Of(_frame));
    }

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("-0")]
    [InlineData("1e400")]
    [InlineData("""{"b":1,"a":2,"b":"\u00e9\/"}""")]
    [InlineData(" [ 1 ] ")]
    [InlineData("\"\\ud800\"")]
    public void Payloads_Whatever_AreSplicedByteForByte(string payload)
    {
        JsonRpcWriter.StreamChunk(_frame, Id("\"1\""), Sequences.Every(1, Encoding.UTF8.GetBytes(payload)));

        Assert.Contains($"\"chunk\":{payload}}}}}", FrameText.Of(_frame), StringComparison.Ordinal);
        using var document = Parsed();
    }

    [Fact]
    public void RunActionState_ManyFrames_OneBufferServesThemAll()
    {
        for (var i = 0; i < 100; i++)
        {
            _frame.Clear();
            JsonRpcWriter.RunActionState(_frame, Id($"\"{i}\""), TraceId);
            using var document = Parsed();

            Assert.Equal($"{i}", document.RootElement.GetProperty("params").GetProperty("requestId").GetString());
        }
    }

    private JsonDocument Parsed() => JsonDocument.Parse(FrameText.Of(_frame));

    private static RequestId Id(string token) => new(Encoding.UTF8.GetBytes(token));

    private static ReadOnlySequence<byte> Payload(string json) => new(Encoding.UTF8.GetBytes(json));
}
