using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.JsonRpc;
using Grpc.Core;

namespace Genkit.Sidecar.Tests.JsonRpc;

/// <summary>Error answers of <see cref="JsonRpcWriter"/>.</summary>
public class JsonRpcErrorTests
{
    private const string Head = """{"jsonrpc":"2.0","error":{"code":-32000,"message":"m","data":{"code":13,"message":"m","details":""";

    [Theory]
    [InlineData("{}", null, null, "{}")]
    [InlineData("", "at a\nat b", "t", """{"stack":"at a\nat b","traceId":"t"}""")]
    [InlineData("", "", null, "{}")]
    [InlineData("""{"a":1,"traceId":"app","b":[{"stack":"in"}],"stack":"app"}""", "own", "t", """{"a":1,"b":[{"stack":"in"}],"stack":"own","traceId":"t"}""")]
    [InlineData("""{"traceId":"app","stack":"app"}""", null, "t", """{"stack":"app","traceId":"t"}""")]
    [InlineData("""{"traceId":"app","stack":"app"}""", "own", null, """{"traceId":"app","stack":"own"}""")]
    [InlineData("""{"tr\u0061ceId":"app","st\u0061ck":{"x":1}}""", "own", "t", """{"stack":"own","traceId":"t"}""")]
    [InlineData(""" { "a" : 9007199254740993 , "a" : -0 , "n" : null } """, null, "t", """{"a":9007199254740993,"a":-0,"n":null,"traceId":"t"}""")]
    [InlineData("""{"x\"y":1,"z\\":2}""", null, null, """{"x\"y":1,"z\\":2}""")]
    [InlineData("""{"a\u003a":":\":","é":{"b":[]}}""", null, null, """{"a:":":\":","é":{"b":[]}}""")]
    public void Error_Details_AreSplicedAndTheSidecarsOwnWin(string details, string? stack, string? traceId, string expected)
    {
        var failure = new ActionFailure(StatusCode.Internal, "m") { Details = Encoding.UTF8.GetBytes(details), Stack = stack };

        Assert.Equal(Head + expected + "}},\"id\":\"1\"}", Write(failure, traceId));
    }

    [Theory]
    [InlineData("""{"\ud800":1,"a":2}""")]
    [InlineData("""{"s\udc00":1,"a":2}""")]
    [InlineData("""{"traceI\ud800d":1,"a":2}""")]
    public void Error_DetailsWithALoneSurrogateInAName_AreStillWritten(string details)
    {
        var failure = new ActionFailure(StatusCode.Internal, "m") { Details = Encoding.UTF8.GetBytes(details), Stack = "own" };

        using var document = JsonDocument.Parse(Write(failure, "t"));
        var written = document.RootElement.GetProperty("error").GetProperty("data").GetProperty("details");
        Assert.Equal("2", written.GetProperty("a").GetRawText());
        Assert.Equal("own", written.GetProperty("stack").GetString());
        Assert.Equal("t", written.GetProperty("traceId").GetString());
    }

    [Fact]
    public void Error_DeepDetails_AreSpliced()
    {
        var deep = new string('[', 10_000) + new string(']', 10_000);
        var failure = new ActionFailure(StatusCode.Internal, "m") { Details = Encoding.UTF8.GetBytes($$"""{"deep":{{deep}}}""") };

        Assert.Equal($"{Head}{{\"deep\":{deep}}}}}}},\"id\":\"1\"}}", Write(failure, null));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("q\" b\\ \n\r\t\b\f\u0000\u001f\u007f")]
    [InlineData("</script>&<'>\u2028\u2029")]
    [InlineData("é€😀 \u202e")]
    public void Error_AnyMessage_ArrivesAsItWas(string message)
    {
        using var document = JsonDocument.Parse(Write(new ActionFailure(StatusCode.Internal, message) { Stack = message }, "t"));

        var error = document.RootElement.GetProperty("error");
        Assert.Equal(message, error.GetProperty("message").GetString());
        Assert.Equal(message, error.GetProperty("data").GetProperty("message").GetString());
    }

    [Fact]
    public void Error_LoneSurrogateInTheMessage_IsReplaced()
    {
        using var document = JsonDocument.Parse(Write(new ActionFailure(StatusCode.Internal, "a\ud800b"), null));

        Assert.Equal("a\uFFFDb", document.RootElement.GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public void Error_EveryCode_HasItsDataFilled()
    {
        foreach (var code in Enum.GetValues<StatusCode>())
        {
            using var document = JsonDocument.Parse(Write(new ActionFailure(code, "m"), null));
            var data = document.RootElement.GetProperty("error").GetProperty("data");

            Assert.Equal((int)code, data.GetProperty("code").GetInt32());
            Assert.Equal("m", data.GetProperty("message").GetString());
            Assert.Equal(JsonValueKind.Object, data.GetProperty("details").ValueKind);
        }
    }

    /// <summary>JSON-RPC 2.0, section 5, requires the id null if the request's id could not be read.</summary>
    [Fact]
    public void Error_RequestWithoutAUsableId_HasANullId()
    {
        var frame = new OutgoingFrame();
        JsonRpcWriter.Error(frame, null, JsonRpcErrorCode.InvalidRequest, new ActionFailure(StatusCode.InvalidArgument, "m"), null);

        Assert.EndsWith("\"details\":{}}},\"id\":null}", FrameText.Of(frame), StringComparison.Ordinal);
    }

    private static string Write(ActionFailure failure, string? traceId)
    {
        var frame = new OutgoingFrame();
        JsonRpcWriter.Error(frame, new RequestId("\"1\""u8.ToArray()), JsonRpcErrorCode.ServerError, failure, traceId);
        return FrameText.Of(frame);
    }
}
