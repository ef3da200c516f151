using System.Text;
using Genkit.Sidecar.Json;
using Genkit.Sidecar.JsonRpc;

namespace Genkit.Sidecar.Tests.JsonRpc;

public class OversizeScannerTests
{
    [Theory]
    [InlineData("""{"method":"runAction","params":{"key":"k","input":{"id":"no","x":["id","no"]}},"id":"12"}""", "\"12\"", null)]
    [InlineData("""{"id":"12","method":"runAction","params":{"id":"no","input":"\"id\":\"no\""}}""", "\"12\"", null)]
    [InlineData("""{"method":"m","id":"12","params":{}}""", "\"12\"", null)]
    [InlineData("""{"params":{"chunk":{"requestId":"no"},"requestId":"9"},"method":"sendInputStreamChunk"}""", null, "\"9\"")]
    [InlineData("""{"method":"sendInputStreamChunk","params":{"requestId":"9","chunk":"requestId\":\"no"}}""", null, "\"9\"")]
    [InlineData("""{"params":{"requestId":9},"id":12}""", "12", "9")]
    [InlineData("""{"id":-3}""", "-3", null)]
    [InlineData("""{"id":"a\"b\\"}""", "\"a\\\"b\\\\\"", null)]
    [InlineData("""{"params":"\\\"id\\\":","id":"1"}""", "\"1\"", null)]
    [InlineData(""" { "params" : { "a" : "}" , "requestId" : "9" } , "id" : 12 } """, "12", "\"9\"")]
    [InlineData("""{"id":"1","id":"2"}""", "\"2\"", null)]
    [InlineData("""{"params":[{"requestId":"no"}],"id":"1"}""", "\"1\"", null)]
    [InlineData("""{"params":["requestId","no"],"id":"1"}""", "\"1\"", null)]
    [InlineData("""{"result":{"requestId":"no","id":"no"},"id":"1"}""", "\"1\"", null)]
    public void Feed_Message_FindsItsOwnIds(string message, string? id, string? requestId)
    {
        AssertIds(message, id, requestId);
    }

    [Theory]
    [InlineData("""{"method":"runAction","params":{"input":{"id":"no"}}}""")]
    [InlineData("""{"id":null}""")]
    [InlineData("""{"id":true}""")]
    [InlineData("""{"id":{"id":"no"}}""")]
    [InlineData("""{"id":["no"]}""")]
    [InlineData("""["id","no"]""")]
    [InlineData("""[{"id":"no"}]""")]
    [InlineData("\"id\"")]
    [InlineData("")]
    public void Feed_MessageWithoutAnId_FindsNone(string message)
    {
        AssertIds(message, null, null);
    }

    [Theory]
    [InlineData("""{"id":12x}""")]
    [InlineData("""{"id":-}""")]
    [InlineData("""{"id":"\q"}""")]
    [InlineData("{\"id\":\"\n\"}")]
    [InlineData("""{"id":007}""")]
    public void Feed_IdThatIsNoJson_IsNone(string message)
    {
        AssertIds(message, null, null);
    }

    [Fact]
    public void Feed_IdWithBytesThatAreNotUtf8_IsNone()
    {
        var scanner = new OversizeScanner();
        scanner.Feed([.. "{\"id\":\""u8, 0xFF, .. "\"}"u8]);

        Assert.Null(scanner.Result.Id);
    }

    [Fact]
    public void Feed_IdTooLongToBeOne_IsNone()
    {
        AssertIds($$"""{"id":"{{new string('x', 254)}}"}""", $"\"{new string('x', 254)}\"", null);
        AssertIds($$"""{"id":"{{new string('x', 255)}}"}""", null, null);
        AssertIds($$"""{"{{new string('x', 300)}}":"no","id":"1"}""", "\"1\"", null);
    }

    [Fact]
    public void Feed_AnyBytes_CountsThem()
    {
        var scanner = new OversizeScanner();
        scanner.Feed("{\"id\":"u8);
        scanner.Feed([]);
        scanner.Feed("1}"u8);

        Assert.Equal(8, scanner.Result.Length);
    }

    [Fact]
    public void Feed_GarbageAtRandom_NeverThrowsAndFindsOnlyJsonIds()
    {
        var random = new Random(20261125);
        var pieces = new[] { "{", "}", "[", "]", ":", ",", "\"", "\\", " ", "1", "-", "x", "\"id\"", "\"id\":", "\"params\":{", "\"requestId\":", "\"7\"", "\u00e9", "\\u" };
        for (var round = 0; round < 50_000; round++)
        {
            var scanner = new OversizeScanner();
            for (var count = random.Next(1, 25); count > 0; count--)
            {
                scanner.Feed(Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
            }

            AssertUsable(scanner.Result.Id);
            AssertUsable(scanner.Result.RequestId);
        }
    }

    [Fact]
    public void Feed_MoreClosedThanOpened_NeverThrows()
    {
        var scanner = new OversizeScanner();
        scanner.Feed(Encoding.UTF8.GetBytes(new string('}', 1000) + "\"id\":1," + new string(']', 1000) + "{{[\"id\":2"));

        Assert.Null(scanner.Result.Id);
    }

    private static void AssertUsable(RequestId? id)
    {
        if (id is { } token)
        {
            Assert.Null(JsonPayload.FindDefect(token.Token.ToArray(), out _));
            Assert.NotEmpty(token.Text + "x");
            _ = token.Number;
        }
    }

    private static void AssertIds(string message, string? id, string? requestId)
    {
        var bytes = Encoding.UTF8.GetBytes(message);
        for (var size = 1; size <= bytes.Length + 1; size++)
        {
            var scanner = new OversizeScanner();
            for (var start = 0; start < bytes.Length; start += size)
            {
                scanner.Feed(bytes.AsSpan(start, Math.Min(size, bytes.Length - start)));
            }

            Assert.Equal(id, Token(scanner.Result.Id));
            Assert.Equal(requestId, Token(scanner.Result.RequestId));
        }
    }

    private static string? Token(RequestId? id) => id is { } value ? Encoding.UTF8.GetString(value.Token) : null;
}
