using System.Net.WebSockets;
using System.Text;
using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Invalid messages from the manager are logged and ignored, and the connection stays open.</summary>
public sealed class GarbageTests
{
    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("\"text\"")]
    [InlineData("[]")]
    [InlineData("""[{"jsonrpc":"2.0","method":"listActions","id":"1"}]""")]
    [InlineData("""{"jsonrpc":"2.0","method":"listActions","id":"1"} {}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"listActions","id":"1",}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"listActions","id":"1" """)]
    [InlineData("{'a':1}")]
    public async Task Frame_NoMessage_IsIgnoredAndLogged(string text)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync(text);

        Assert.Equal($"{Encoding.UTF8.GetByteCount(text)}", (await sidecar.Log.WaitForAsync("InvalidMessageIgnored"))["Length"]);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task BinaryFrame_InvalidUtf8_IsIgnoredAndLogged()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var bytes = Encoding.UTF8.GetBytes(Requests.Run("1", "/flow/x", "\"?\""));
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFF;

        await sidecar.Peer.SendAsync(bytes, WebSocketMessageType.Binary);

        Assert.Contains("UTF-8", (await sidecar.Log.WaitForAsync("InvalidMessageIgnored"))["Problem"], StringComparison.Ordinal);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task BinaryFrame_ValidRequest_IsAnswered()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync(Encoding.UTF8.GetBytes(Requests.ListActions("1")), WebSocketMessageType.Binary);
        var answer = await sidecar.Peer.ReceiveAsync();

        Assert.True(answer.Answers("1"));
    }

    [Fact]
    public async Task FragmentedFrame_OneByteEach_IsOneMessage()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/echo"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());
        var bytes = Encoding.UTF8.GetBytes(Requests.Run("1", "/flow/echo", "\"é😀\""));

        for (var i = 0; i < bytes.Length; i++)
        {
            await sidecar.Peer.SendAsync(bytes.AsMemory(i, 1), endOfMessage: i == bytes.Length - 1);
        }

        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();
        Assert.Equal("\"é😀\"", frames[^1].Result());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"listActions","id":"1","extra":{"a":[null]},"params":{"what":1,"runtimeId":"x"}}""")]
    [InlineData("""{"id":"1","method":"listActions"}""")]
    [InlineData("""{"\u006dethod":"list\u0041ctions","id":"1"}""")]
    [InlineData("""{"\ud800":1,"method":"listActions","params":{"\ud800\ud800":2},"id":"1"}""")]
    public async Task Request_UnusualMembers_IsAnswered(string request)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        var answer = await sidecar.Peer.AskForOneAsync(request);

        Assert.True(answer.Answers("1"));
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","result":{},"id":"1"}""")]
    [InlineData("""{"jsonrpc":"2.0","result":{},"id":7}""")]
    [InlineData("""{"jsonrpc":"2.0","error":{"code":1,"message":"m"},"id":null}""")]
    [InlineData("{}")]
    public async Task Response_ToNothing_IsIgnoredAndLogged(string response)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync(response);

        await sidecar.Log.WaitForAsync("UnknownResponseIgnored");
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Response_RegisterAnsweredTwice_IsHarmless()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync("""{"jsonrpc":"2.0","error":{"code":1,"message":"no"},"id":"register"}""");

        await sidecar.Peer.AssertAnswersAsync();
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"sendInputStreamChunk","params":{"chunk":1}}""", "InputWithoutRequestIdIgnored")]
    [InlineData("""{"jsonrpc":"2.0","method":"endInputStream","params":{"requestId":null}}""", "InputWithoutRequestIdIgnored")]
    [InlineData("""{"jsonrpc":"2.0","method":"endInputStream"}""", "InputWithoutRequestIdIgnored")]
    [InlineData("""{"jsonrpc":"2.0","method":"sendInputStreamChunk","params":{"requestId":"9\n","chunk":1}}""", "InputForUnknownRequestIgnored", "9 ")]
    [InlineData("""{"jsonrpc":"2.0","method":"endInputStream","params":{"requestId":"9"}}""", "InputForUnknownRequestIgnored", "9")]
    [InlineData("""{"jsonrpc":"2.0","method":"configure","params":{"telemetryServerUrl":5}}""", "InvalidConfigureIgnored")]
    public async Task Notification_Unusable_IsIgnoredAndLogged(string notification, string eventName, string? requestId = null)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();

        await sidecar.Peer.SendAsync(notification);

        var ignored = await sidecar.Log.WaitForAsync(eventName);
        if (requestId is not null)
        {
            Assert.Equal(requestId, ignored["RequestId"]);
        }

        await sidecar.Peer.AssertAnswersAsync();
    }
}
