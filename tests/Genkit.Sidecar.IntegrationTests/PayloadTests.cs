using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Google.Protobuf;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Invalid payloads and payloads of all sizes.</summary>
public sealed class PayloadTests
{
    private const int MiB = 1024 * 1024;

    public static TheoryData<string, byte[]> Defects => new()
    {
        { "it is empty", [] },
        { "it is not valid JSON at byte 0", "nope"u8.ToArray() },
        { "it is not valid JSON", "{} {}"u8.ToArray() },
        { "it is not valid JSON", "1 2"u8.ToArray() },
        { "it is not valid JSON", "{\"a\":"u8.ToArray() },
        { "it is not valid JSON", "},\"id\":\"2\",\"x\":{"u8.ToArray() },
        { "it is not valid UTF-8", [(byte)'"', 0xC3, (byte)'"'] },
        { "it is not valid UTF-8", [(byte)'"', 0xED, 0xA0, 0x80, (byte)'"'] },
    };

    [Theory]
    [MemberData(nameof(Defects))]
    public async Task Result_NotOneJsonValue_IsInternalAndTheConnectionStays(string defect, byte[] payload)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) =>
            call.WriteAsync(new V1.RunActionResponse { Result = new V1.ActionResult { ResultJson = ByteString.CopyFrom(payload) } });

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.StartsWith($"The application sent a result_json that is not one JSON value: {defect}", frames[^1].AssertFailure(13), StringComparison.Ordinal);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Theory]
    [MemberData(nameof(Defects))]
    public async Task Chunk_NotOneJsonValue_EndsTheRunAndItsCall(string defect, byte[] payload)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var cancelled = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.WriteAsync(new V1.RunActionResponse { ChunkJson = ByteString.CopyFrom(payload) });
            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", stream: true));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync("1");

        Assert.Equal(3, frames.Count);
        Assert.StartsWith($"The application sent a chunk_json that is not one JSON value: {defect}", frames[^1].AssertFailure(13), StringComparison.Ordinal);
        await cancelled.Task.InTimeAsync();
    }

    [Fact]
    public async Task Payload_TenThousandLevelsDeep_PassesBothWays()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/echo"] = async (call, request) =>
        {
            await call.ChunkAsync(request.InputJson.ToStringUtf8());
            await call.ResultAsync(request.InputJson.ToStringUtf8());
        };
        var deep = new string('[', 10_000) + new string(']', 10_000);

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/echo", deep, stream: true));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.Equal(deep, frames[1].Chunk());
        Assert.Equal(deep, frames[^1].Result());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(32 * 1024 - 2)]
    [InlineData(32 * 1024 - 1)]
    [InlineData(64 * 1024)]
    [InlineData(MiB)]
    [InlineData(33 * MiB)]
    [InlineData(90 * MiB)]
    public async Task Payload_OfAnySizeUpToTheLimit_PassesBothWays(int length)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/echo"] = (call, request) =>
            call.WriteAsync(new V1.RunActionResponse { Result = new V1.ActionResult { ResultJson = request.InputJson } });
        var payload = $"\"{new string('x', length)}\"";

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/echo", payload));
        await sidecar.Peer.ReceiveAsync();
        var answer = await sidecar.Peer.ReceiveTextAsync();

        Assert.Contains($"{{\"result\":{payload},\"telemetry\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Result_Over100MiB_IsRefusedAndTheConnectionStays()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync($"\"{new string('x', 101 * MiB)}\"");

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Contains("--max-message-bytes", frames[^1].AssertFailure(8), StringComparison.Ordinal);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Theory]
    [InlineData(70 * 1024)]
    [InlineData(200 * 1024)]
    public async Task ResultOrChunk_OverASmallLimit_IsRefusedByName(int length)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-message-bytes", "64KiB");
        var payload = $"\"{new string('x', length - 2)}\"";
        sidecar.Application.Actions["/flow/result"] = (call, _) => call.ResultAsync(payload);
        sidecar.Application.Actions["/flow/chunk"] = (call, _) => call.ChunkAsync(payload);

        var result = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/result"));
        var chunk = await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/chunk", stream: true));

        Assert.Contains("--max-message-bytes", result[^1].AssertFailure(8), StringComparison.Ordinal);
        Assert.Contains("--max-message-bytes", chunk[^1].AssertFailure(8), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ErrorDetails_OverTheLimit_AreLeftOutOfTheAnswer()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-message-bytes", "64KiB");
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ErrorAsync(9, new string('m', 50_000), $$"""{"a":"{{new string('x', 5_000)}}"}""", new string('s', 5_000));

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Contains("/flow/x failed, and its error has", frames[^1].AssertFailure(9), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"id\":\"1\",", "")]
    [InlineData("", ",\"id\":\"1\"")]
    [InlineData("", ",\"id\":1")]
    public async Task Request_OverTheLimit_IsAnsweredByItsId(string before, string after)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-message-bytes", "64KiB");
        var input = $$"""{"id":"wrong","params":{"id":"wrong"},"x":"{{new string('x', 200_000)}}","y":["id","wrong"],"q":"\"id\":\"wrong\""}""";

        await sidecar.Peer.SendAsync($$"""{{{before}}"jsonrpc":"2.0","method":"runAction","params":{"key":"/flow/x","input":{{input}},"requestId":"5"}{{after}}}""");
        var answer = await sidecar.Peer.ReceiveAsync();

        Assert.Equal(after.EndsWith('1') ? "1" : "\"1\"", answer.At("id").GetRawText());
        Assert.Contains("--max-message-bytes", answer.AssertFailure(8), StringComparison.Ordinal);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task StreamedInput_OverTheLimit_EndsThatRunAlone()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-message-bytes", "64KiB");
        sidecar.Application.Actions["/flow/x"] = async (call, _) => await call.ResultAsync(await call.ReadChunkAsync());
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.Run("2", "/flow/x", streamInput: true));
        await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.ReceiveAsync();

        await sidecar.Peer.SendAsync(Requests.Chunk("1", $"\"{new string('x', 100_000)}\""));
        var refused = await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.SendAsync(Requests.Chunk("2", "2"));
        var answer = await sidecar.Peer.ReceiveAsync();

        Assert.True(refused.Answers("1"));
        Assert.Contains("--max-message-bytes", refused.AssertFailure(8), StringComparison.Ordinal);
        Assert.Equal("2", answer.Result());
    }
}
