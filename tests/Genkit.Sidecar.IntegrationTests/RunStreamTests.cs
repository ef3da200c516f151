using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Chunks, their order, and the end of a run.</summary>
public sealed class RunStreamTests
{
    [Fact]
    public async Task Stream_ChunksOfEveryKind_ComeInOrderBetweenStateAndResult()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        string[] chunks = ["null", "0", "\"\"", "[]", "{}", """{"a": 1}""", "false", "-0", "1e400"];
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            foreach (var chunk in chunks)
            {
                await call.ChunkAsync(chunk);
            }

            await call.ResultAsync("\"end\"");
        };

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", stream: true));
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync();

        Assert.Equal("runActionState", frames[0].Method());
        Assert.Equal(chunks, frames.Where(frame => frame.IsChunk()).Select(frame => frame.Chunk()));
        Assert.Equal("""{"jsonrpc":"2.0","method":"streamChunk","params":{"requestId":"1","chunk":null}}""", frames[1].GetRawText());
        Assert.Equal("\"end\"", frames[^1].Result());
    }

    [Fact]
    public async Task Stream_NotWanted_SendsNoChunks()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.ResultAsync("2");
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal(2, frames.Count);
        Assert.Equal("2", frames[1].Result());
    }

    [Fact]
    public async Task Stream_ManyRunsAtOnce_KeepTheirOwnOrder()
    {
        const int Runs = 20;
        const int Chunks = 50;
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/count"] = async (call, request) =>
        {
            for (var i = 0; i < Chunks; i++)
            {
                await call.ChunkAsync($"[{request.InputJson.ToStringUtf8()},{i}]");
            }

            await call.ResultAsync(request.InputJson.ToStringUtf8());
        };

        for (var run = 0; run < Runs; run++)
        {
            await sidecar.Peer.SendAsync(Requests.Run($"{run}", "/flow/count", $"{run}", stream: true));
        }

        var next = new int[Runs];
        for (var answers = 0; answers < Runs;)
        {
            var frame = await sidecar.Peer.ReceiveAsync();
            if (frame.IsChunk())
            {
                var run = int.Parse(frame.Text("params", "requestId"), System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal($"[{run},{next[run]++}]", frame.Chunk());
            }
            else if (frame.Has("id"))
            {
                Assert.Equal(frame.Text("id"), frame.Result());
                Assert.Equal(Chunks, next[int.Parse(frame.Text("id"), System.Globalization.CultureInfo.InvariantCulture)]);
                answers++;
            }
        }
    }

    [Fact]
    public async Task Result_CallStaysOpen_IsAnsweredAtOnceAndTheCallIsReset()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var reset = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ResultAsync("1");
            await call.WaitForCancelAsync();
            reset.SetResult();
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal("1", frames[^1].Result());
        await reset.Task.InTimeAsync();
        await sidecar.Log.WaitForAsync("RunCallReset");
    }

    [Fact]
    public async Task Result_MessagesFollow_AreIgnoredAndLogged()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ResultAsync("1");
            await call.ChunkAsync("2");
            await call.ResultAsync("3");
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x", stream: true));

        Assert.Equal(2, frames.Count);
        Assert.Equal("1", frames[^1].Result());
        Assert.Equal("2", (await sidecar.Log.WaitForAsync("MessagesAfterEndIgnored"))["Count"]);
        await sidecar.Peer.AssertAnswersAsync();
    }

    [Fact]
    public async Task Result_AnotherStatusFollows_TheResultCounts()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ResultAsync("1");
            call.End(9, "too late");
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Equal("1", frames[^1].Result());
        var mismatch = await sidecar.Log.WaitForAsync("RunStatusMismatch");
        Assert.Equal(("OK", "FailedPrecondition"), (mismatch["Told"], mismatch["Status"]));
    }

    [Theory]
    [InlineData(false, "RunAction")]
    [InlineData(true, "RunBidiAction")]
    public async Task End_WithoutResult_IsInternal(bool streamInput, string rpc)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.ChunkAsync("1");

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x", streamInput: streamInput));

        frames[^1].AssertFailure(13, $"The application's {rpc} ended without a result");
    }

    [Fact]
    public async Task End_WithoutStatus_IsUnknown()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            call.LeaveWithoutStatus();
        };

        var frames = await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        Assert.Contains("without a grpc-status", frames[^1].AssertFailure(2), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_ApplicationDies_IsUnavailableAfterTheChunks()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.WaitForCancelAsync();
        };
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", stream: true));
        await sidecar.Peer.ReceiveAsync();
        var chunk = await sidecar.Peer.ReceiveAsync();

        await sidecar.Application.DisposeAsync();
        var answer = await sidecar.Peer.ReceiveAsync();

        Assert.Equal("1", chunk.Chunk());
        answer.AssertFailure(14);
    }
}
