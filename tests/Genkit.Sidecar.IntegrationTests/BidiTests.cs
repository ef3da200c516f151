using System.Threading.Channels;
using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

public sealed class BidiTests
{
    [Fact]
    public async Task Input_SentBeforeTheStateIsRead_ReachesTheApplicationInOrder()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        CollectInput(sidecar);

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/collect", streamInput: true));
        foreach (var chunk in new[] { "1", "null", """{"a": 1e400}""" })
        {
            await sidecar.Peer.SendAsync(Requests.Chunk("1", chunk));
        }

        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.Equal("""[1,null,{"a": 1e400}]""", frames[^1].Result());
    }

    [Fact]
    public async Task Input_EndsAtOnce_IsAHalfCloseWithoutChunks()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        CollectInput(sidecar);

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/collect", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.Equal("[]", frames[^1].Result());
    }

    [Fact]
    public async Task Start_EveryMember_ReachesTheApplication()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var started = new TaskCompletionSource<V1.RunActionRequest>();
        sidecar.Application.Actions["/flow/x"] = (call, request) =>
        {
            started.SetResult(request);
            return call.ResultAsync("1");
        };

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x", "5", stream: true, streamInput: true, more: ""","init":{"i":1},"context":{}"""));

        var request = await started.Task;
        Assert.Equal("5", request.InputJson.ToStringUtf8());
        Assert.Equal("""{"i":1}""", request.InitJson.ToStringUtf8());
        Assert.Equal("{}", request.ContextJson.ToStringUtf8());
        Assert.True(request.Stream);
    }

    [Fact]
    public async Task Echo_ChunksInTurn_AreInterleaved()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/echo"] = async (call, _) =>
        {
            while (await call.ReadChunkAsync() is { } chunk)
            {
                await call.ChunkAsync(chunk);
            }

            await call.ResultAsync("\"over\"");
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/echo", stream: true, streamInput: true));
        await sidecar.Peer.ReceiveAsync();

        for (var i = 0; i < 5; i++)
        {
            await sidecar.Peer.SendAsync(Requests.Chunk("1", $"[{i}]"));
            Assert.Equal($"[{i}]", (await sidecar.Peer.ReceiveAsync()).Chunk());
        }

        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        Assert.Equal("\"over\"", (await sidecar.Peer.ReceiveAsync()).Result());
    }

    [Fact]
    public async Task Echo_TwoRunsAtOnce_KeepTheirOwnInput()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        CollectInput(sidecar);

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/collect", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.Run("2", "/flow/collect", streamInput: true));
        for (var i = 0; i < 20; i++)
        {
            await sidecar.Peer.SendAsync(Requests.Chunk(i % 2 == 0 ? "1" : "2", $"{i}"));
        }

        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        await sidecar.Peer.SendAsync(Requests.EndInput("2"));
        var frames = new List<System.Text.Json.JsonElement>();
        while (frames.Count(frame => frame.Has("id")) < 2)
        {
            frames.Add(await sidecar.Peer.ReceiveAsync());
        }

        Assert.Equal("[0,2,4,6,8,10,12,14,16,18]", frames.Single(frame => frame.Answers("1")).Result());
        Assert.Equal("[1,3,5,7,9,11,13,15,17,19]", frames.Single(frame => frame.Answers("2")).Result());
    }

    [Fact]
    public async Task Input_AfterTheRunsEnd_IsIgnoredAndLogged()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("1");
        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x", streamInput: true));
        await sidecar.Peer.AssertAnswersAsync();

        await sidecar.Peer.SendAsync(Requests.Chunk("1", "1"));
        await sidecar.Peer.SendAsync(Requests.EndInput("1"));

        await sidecar.Log.WaitForAsync("InputForUnknownRequestIgnored", times: 2);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Input_AfterItsEnd_IsIgnored()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        CollectInput(sidecar);

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/collect", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        await sidecar.Peer.SendAsync(Requests.Chunk("1", "1"));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.Equal("[]", frames[^1].Result());
    }

    [Fact]
    public async Task Input_ForAUnaryRun_IsIgnoredAndLogged()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await release.Task;
            await call.ResultAsync("1");
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));

        await sidecar.Peer.SendAsync(Requests.Chunk("1", "1"));
        Assert.Equal("1", (await sidecar.Log.WaitForAsync("InputForUnknownRequestIgnored"))["RequestId"]);
        release.SetResult();

        Assert.Equal("1", (await sidecar.Peer.ReceiveUntilAnswerAsync())[^1].Result());
    }

    [Fact]
    public async Task Input_WithoutChunk_IsLoggedAndTheRunGoesOn()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        CollectInput(sidecar);

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/collect", streamInput: true));
        await sidecar.Peer.SendAsync("""{"jsonrpc":"2.0","method":"sendInputStreamChunk","params":{"requestId":"1"}}""");
        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        await sidecar.Log.WaitForAsync("InputWithoutChunkIgnored");
        Assert.Equal("[]", frames[^1].Result());
    }

    [Fact]
    public async Task Input_AsARequest_IsAnswered()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        CollectInput(sidecar);
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/collect", streamInput: true));
        await sidecar.Peer.ReceiveAsync();

        var chunk = await sidecar.Peer.AskForOneAsync(Requests.Call("2", "sendInputStreamChunk", """{"requestId":"1","chunk":7}"""));
        await sidecar.Peer.SendAsync(Requests.Call("3", "endInputStream", """{"requestId":"1"}"""));
        var end = await sidecar.Peer.ReceiveAsync();
        var answer = await sidecar.Peer.ReceiveAsync();

        Assert.Equal("{}", chunk.At("result").GetRawText());
        Assert.Equal("{}", end.At("result").GetRawText());
        Assert.Equal("[7]", answer.Result());
    }

    [Fact]
    public async Task Input_ApplicationDoesNotRead_FailsTheRunPastTheBound()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--max-input-queue-bytes", "64KiB");
        var (started, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        sidecar.Application.Actions["/flow/deaf"] = async (call, _) =>
        {
            started.SetResult();
            await call.WaitForCancelAsync();
            cancelled.SetResult();
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/deaf", streamInput: true));
        await sidecar.Peer.ReceiveAsync();
        await started.Task.InTimeAsync();

        var chunk = $"\"{new string('x', 30_000)}\"";
        for (var i = 0; i < 200; i++)
        {
            await sidecar.Peer.SendAsync(Requests.Chunk("1", chunk));
        }

        var answer = await sidecar.Peer.ReceiveAsync();
        Assert.Contains("--max-input-queue-bytes", answer.AssertFailure(8), StringComparison.Ordinal);
        await cancelled.Task.InTimeAsync();
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Input_ApplicationReadsLate_LosesNothing()
    {
        const int Chunks = 2000;
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/late"] = async (call, _) =>
        {
            await release.Task;
            var count = 0;
            while (await call.ReadChunkAsync() is { } chunk)
            {
                Assert.StartsWith($"[{count++},", chunk, StringComparison.Ordinal);
            }

            await call.ResultAsync($"{count}");
        };

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/late", streamInput: true));
        var filling = new string('x', 2000);
        for (var i = 0; i < Chunks; i++)
        {
            await sidecar.Peer.SendAsync(Requests.Chunk("1", $"[{i},\"{filling}\"]"));
        }

        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        release.SetResult();
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.Equal($"{Chunks}", frames[^1].Result());
    }

    [Fact]
    public async Task Stream_IdleBothWays_StaysOpenUntilAMessageArrives()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var says = Channel.CreateUnbounded<string>();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await foreach (var chunk in says.Reader.ReadAllAsync(call.Aborted))
            {
                await call.ChunkAsync(chunk);
            }

            await call.ResultAsync(await call.ReadChunkAsync());
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", stream: true, streamInput: true));
        await sidecar.Peer.ReceiveAsync();

        says.Writer.TryWrite("\"out\"");
        var chunk = await sidecar.Peer.ReceiveAsync();
        says.Writer.Complete();
        await sidecar.Peer.SendAsync(Requests.Chunk("1", "\"in\""));

        Assert.Equal("\"out\"", chunk.Chunk());
        Assert.Equal("\"in\"", (await sidecar.Peer.ReceiveAsync()).Result());
    }

    private static void CollectInput(RegisteredSidecar sidecar) => sidecar.Application.Actions["/flow/collect"] = async (call, _) =>
    {
        var chunks = new List<string>();
        while (await call.ReadChunkAsync() is { } chunk)
        {
            chunks.Add(chunk);
        }

        await call.ResultAsync($"[{string.Join(',', chunks)}]");
    };
}
