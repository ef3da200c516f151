using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>The two forms of an application's error, and the errors that the manager receives.</summary>
public sealed class RunFailureTests
{
    [Fact]
    public async Task Error_InStream_HasMembersInOrder()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ErrorAsync(5, "no \"such\" thing é", """{ "hint": [1.50,null] }""", "at a\nat b");

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        var state = await sidecar.Peer.ReceiveAsync();
        var answer = await sidecar.Peer.ReceiveTextAsync();

        Assert.Equal(
            """{"jsonrpc":"2.0","error":{"code":-32000,"message":"no \"such\" thing é","data":{"code":5,"message":"no \"such\" thing é","details":{"hint":[1.50,null],"stack":"at a\nat b","traceId":"TRACE"}}},"id":"1"}""".Replace("TRACE", state.TraceId()),
            answer);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(17, 2)]
    [InlineData(-1, 2)]
    [InlineData(1, 1)]
    [InlineData(16, 16)]
    public async Task Error_AnyCode_IsCanonicalOrUnknown(int code, int expected)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ErrorAsync(code, "m");

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        frames[^1].AssertFailure(expected, "m");
    }

    [Theory]
    [InlineData("""{"traceId":"mine","stack":"mine","a":1}""", """{"a":1,"stack":"s","traceId":"TRACE"}""")]
    [InlineData("""{"tr\u0061ceId":"mine","a":1}""", """{"a":1,"stack":"s","traceId":"TRACE"}""")]
    [InlineData("""{"\ud800":1,"\ud800\ud800":2,"a":1}""", null)]
    [InlineData("{}", """{"stack":"s","traceId":"TRACE"}""")]
    [InlineData("[]", """{"stack":"s","traceId":"TRACE"}""")]
    [InlineData("{", """{"stack":"s","traceId":"TRACE"}""")]
    [InlineData("", """{"stack":"s","traceId":"TRACE"}""")]
    public async Task ErrorDetails_WhateverTheyAre_LoseToTheSidecarsOwn(string details, string? expected)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ErrorAsync(9, "m", details, "s");

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        var told = frames[^1].AssertFailure(9, "m");
        Assert.Equal(frames[0].TraceId(), told.Text("traceId"));
        if (expected is not null)
        {
            Assert.Equal(expected.Replace("TRACE", frames[0].TraceId()), told.GetRawText());
        }

        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task ErrorDetails_StackOfTheirOwnAndNoOther_IsKept()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ErrorAsync(9, "m", """{"stack":"theirs"}""");

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal("theirs", frames[^1].AssertFailure(9, "m").Text("stack"));
    }

    [Fact]
    public async Task Status_WithMessage_IsTheRunsError()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            call.End(9, "not now: é\n100%");
        };

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", stream: true));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.True(frames[1].IsChunk());
        var details = frames[^1].AssertFailure(9, "not now: é\n100%");
        Assert.Equal($$"""{"traceId":"{{frames[0].TraceId()}}"}""", details.GetRawText());
    }

    [Fact]
    public async Task Status_WithoutMessage_HasTheCodesName()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) =>
        {
            call.End(10);
            return Task.CompletedTask;
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        frames[^1].AssertFailure(10, "ABORTED");
    }

    [Fact]
    public async Task Status_WithDebugInfo_GivesTheStack()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var debugInfo = new Any { TypeUrl = "type.googleapis.com/google.rpc.DebugInfo", Value = ByteString.CopyFrom([0x0A, 1, (byte)'a', 0x0A, 1, (byte)'b']) };
        var status = new MemoryStream();
        using (var output = new CodedOutputStream(status, leaveOpen: true))
        {
            output.WriteTag(3, WireFormat.WireType.LengthDelimited);
            output.WriteMessage(debugInfo);
        }

        sidecar.Application.Actions["/flow/x"] = (call, _) =>
        {
            call.End(3, "bad", status.ToArray());
            return Task.CompletedTask;
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal("a\nb", frames[^1].AssertFailure(3, "bad").Text("stack"));
    }

    [Fact]
    public async Task Status_DetailsThatAreNoStatus_AreIgnored()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) =>
        {
            call.End(3, "bad", [0xFF, 0xFF, 0x01]);
            return Task.CompletedTask;
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.False(frames[^1].AssertFailure(3, "bad").Has("stack"));
    }

    [Fact]
    public async Task Error_AnotherStatusFollows_TheErrorCounts()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ErrorAsync(5, "first");
            call.End(13, "second");
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        frames[^1].AssertFailure(5, "first");
        var mismatch = await sidecar.Log.WaitForAsync("RunStatusMismatch");
        Assert.Equal(("NotFound", "Internal"), (mismatch["Told"], mismatch["Status"]));
    }

    [Fact]
    public async Task Message_NoProtobuf_IsInternal()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WriteRawAsync(new byte[] { 0, 0, 0, 0, 2, 0x0A, 0x7F });

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        frames[^1].AssertFailure(13, "The application sent a message of 2 bytes that is not a RunActionResponse");
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Call_Reset_FailsTheRunAndNothingElse()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.StartAsync();
            call.Reset();
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.True(frames[^1].Has("error"));
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task RunTimeout_Passes_IsDeadlineExceeded()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--run-timeout", "2s");
        var cancelled = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        frames[^1].AssertFailure(4);
        await cancelled.Task.InTimeAsync();
    }
}
