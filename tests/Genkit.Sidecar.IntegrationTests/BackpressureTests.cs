using System.Globalization;
using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>If the manager does not read, messages wait, none is lost, and short answers overtake chunks.</summary>
public sealed class BackpressureTests
{
    [Fact]
    public async Task SlowManager_ManyChunks_SlowsTheApplicationAndLosesNothing()
    {
        const int Chunks = 20_000;
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var filling = new string('x', 1000);
        sidecar.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            for (var i = 0; i < Chunks; i++)
            {
                await call.ChunkAsync($"[{i},\"{filling}\"]");
            }

            await call.ResultAsync("\"end\"");
        };

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/flood", stream: true));
        await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.SendAsync(Requests.ListActions("2"));
        var answered = -1;
        for (var i = 0; i < Chunks;)
        {
            var frame = await sidecar.Peer.ReceiveTextAsync();
            if (frame.Contains("streamChunk", StringComparison.Ordinal))
            {
                Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"\"chunk\":[{i++},"), frame, StringComparison.Ordinal);
            }
            else
            {
                answered = i;
            }
        }

        Assert.Equal("\"end\"", (await sidecar.Peer.ReceiveAsync()).Result());
        Assert.InRange(answered, 0, Chunks - 1);
    }

    [Fact]
    public async Task SlowManager_ListingAndCancelOfAnotherRun_OvertakeTheChunks()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync();
        var chunk = $"\"{new string('x', 50_000)}\"";
        sidecar.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            while (true)
            {
                await call.ChunkAsync(chunk);
            }
        };
        sidecar.Application.Actions["/flow/long"] = (call, _) => call.WaitForCancelAsync();
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/long"));
        var state = await sidecar.Peer.ReceiveAsync();
        await sidecar.Peer.SendAsync(Requests.Run("2", "/flow/flood", stream: true));
        await sidecar.Peer.ReceiveAsync();

        // All are answered while the stream continues without end, so they have overtaken it.
        await sidecar.Peer.SendAsync(Requests.ListActions("3"));
        await sidecar.Peer.ReceiveUntilAnswerAsync("3");
        await sidecar.Peer.SendAsync(Requests.Cancel("4", state.TraceId()));
        await sidecar.Peer.ReceiveUntilAnswerAsync("4");
        var frames = await sidecar.Peer.ReceiveUntilAnswerAsync("1");

        frames[^1].AssertFailure(1, "Action was cancelled");
    }

    [Fact]
    public async Task Requests_ManyWhileNothingIsRead_AreAllAnswered()
    {
        const int Count = 5000;
        await using var sidecar = await RegisteredSidecar.StartAsync();

        for (var i = 0; i < Count; i++)
        {
            await sidecar.Peer.SendAsync(Requests.Call($"{i}", "nonsense", "{}"));
        }

        for (var i = 0; i < Count; i++)
        {
            Assert.True((await sidecar.Peer.ReceiveAsync()).Answers($"{i}"));
        }
    }
}
