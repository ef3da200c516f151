using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>Flows as server-sent events.</summary>
public sealed class FlowStreamTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/countdown", "text/event-stream")]
    [InlineData("/countdown", "application/json, TEXT/EVENT-STREAM;q=0.5")]
    [InlineData("/countdown?stream=true", null)]
    public async Task Stream_AskedForEitherWay_IsChunksAndTheResult(string path, string? accept)
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.Application.Actions["/flow/countdown"] = async (call, request) =>
        {
            Assert.True(request.Stream);
            await call.ChunkAsync("2");
            await call.ChunkAsync("1");
            await call.ResultAsync("\"done\"");
        };

        var reply = await flows.PostAsync(path, "{}", accept is null ? [] : [("Accept", accept)]);

        Assert.Equal(200, reply.Status);
        Assert.Equal("data: {\"message\":2}\n\ndata: {\"message\":1}\n\ndata: {\"result\":\"done\"}\n\n", reply.Body);
        Assert.Equal("text/event-stream", reply.ContentType);
        Assert.Equal(32, reply.Header("x-genkit-trace-id")!.Length);
        Assert.Equal(16, reply.Header("x-genkit-span-id")!.Length);
        Assert.Equal("no-store", reply.Header("Cache-Control"));
    }

    [Theory]
    [InlineData("/f?stream=1")]
    [InlineData("/f?stream=TRUE")]
    [InlineData("/f")]
    public async Task Stream_NotAskedFor_IsNone(string path)
    {
        await using var flows = await FlowSidecar.StartAsync();

        Assert.Equal("""{"result":1}""", (await flows.WithResult("f", "1").PostAsync(path)).Body);
    }

    [Fact]
    public async Task Stream_PrettyPayloads_AreOneLineEach()
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.Application.Actions["/flow/f"] = async (call, _) =>
        {
            await call.ChunkAsync("{\r\n\"a\\n\": [\n\n1]}\n");
            await call.ResultAsync("[\r1\r]");
        };

        var reply = await flows.PostAsync("/f?stream=true");

        Assert.Equal("data: {\"message\":{  \"a\\n\": [  1]} }\n\ndata: {\"result\":[ 1 ]}\n\n", reply.Body);
    }

    [Fact]
    public async Task Stream_FlowReturnedNothing_EndsWithNullForGenkitsOwnClient()
    {
        await using var flows = await FlowSidecar.StartAsync();

        Assert.Equal("data: {\"result\":null}\n\n", (await flows.WithResult("void", null).PostAsync("/void?stream=true")).Body);
    }

    [Fact]
    public async Task Stream_HeadersAndChunks_ComeWhenTheyAreThereAndAreNeverCompressed()
    {
        await using var flows = await FlowSidecar.StartAsync();
        var go = new SemaphoreSlim(0);
        flows.Application.Actions["/flow/slow"] = async (call, _) =>
        {
            await go.WaitAsync(call.Aborted);
            await call.ChunkAsync($"\"{new string('x', 2000)}\"");
            await go.WaitAsync(call.Aborted);
            await call.ResultAsync("1");
        };
        using var request = FlowSidecar.Request("/slow", "{}", ("Accept", "text/event-stream"), ("Accept-Encoding", "br, gzip"));

        // Before the flow has sent anything.
        using var response = await flows.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.True(response.Headers.Contains("x-genkit-trace-id"));
        Assert.Empty(response.Content.Headers.ContentEncoding);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        go.Release();
        Assert.StartsWith("data: {\"message\":\"xx", await reader.ReadLineAsync(Cancellation).AsTask().InTimeAsync(), StringComparison.Ordinal);
        Assert.Equal("", await reader.ReadLineAsync(Cancellation).AsTask().InTimeAsync());
        go.Release();
        Assert.Equal("data: {\"result\":1}\n\n", await reader.ReadToEndAsync(Cancellation).InTimeAsync());
    }

    [Fact]
    public async Task Stream_ClientThatReadsSlowly_SlowsTheApplicationAndLosesNothing()
    {
        const int Chunks = 40_000;
        await using var flows = await FlowSidecar.StartAsync();
        var sent = 0;
        var filling = new string('x', 1000);
        flows.Application.Actions["/flow/flood"] = async (call, _) =>
        {
            for (; sent < Chunks; sent++)
            {
                await call.ChunkAsync($"[{sent},\"{filling}\"]");
            }

            await call.ResultAsync("\"end\"");
        };

        using var response = await flows.OpenAsync("/flood");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        var atFirst = 0;
        for (var i = 0; i < Chunks; i++)
        {
            Assert.StartsWith($"data: {{\"message\":[{i},", await reader.ReadLineAsync(Cancellation).AsTask().InTimeAsync(), StringComparison.Ordinal);
            Assert.Equal("", await reader.ReadLineAsync(Cancellation));
            atFirst = i == 0 ? Volatile.Read(ref sent) : atFirst;
        }

        Assert.Equal("data: {\"result\":\"end\"}\n\n", await reader.ReadToEndAsync(Cancellation).InTimeAsync());
        Assert.True(atFirst < Chunks, "the whole of 40 MB was taken before the client had read more than its first chunk");
    }

    [Fact]
    public async Task Stream_ChunkOfManyMegabytes_ArrivesWhole()
    {
        await using var flows = await FlowSidecar.StartAsync();
        var json = $"\"{new string('x', 10_000_000)}\"";
        flows.Application.Actions["/flow/f"] = async (call, _) =>
        {
            await call.ChunkAsync(json);
            await call.ResultAsync("1");
        };

        Assert.True((await flows.PostAsync("/f?stream=true")).Body == $"data: {{\"message\":{json}}}\n\ndata: {{\"result\":1}}\n\n");
    }

    [Fact]
    public async Task Stream_FailsInItsMiddle_ReportsItAsData()
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.Application.Actions["/flow/f"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.ErrorAsync(5, "no \"such\"\nthing", """{"a":[1], "b":2}""", stack: "at secret.py:1");
        };

        var reply = await flows.PostAsync("/f?stream=true");

        Assert.Equal(200, reply.Status);
        Assert.Equal(
            "data: {\"message\":1}\n\ndata: {\"error\":{\"details\":{\"a\":[1],\"b\":2},\"status\":\"NOT_FOUND\",\"message\":\"no \\\"such\\\"\\nthing\"}}\n\n",
            reply.Body);
    }

    [Fact]
    public async Task Stream_DetailsOverSeveralLines_StayOneEvent()
    {
        await using var flows = await FlowSidecar.StartAsync();
        flows.Application.Actions["/flow/f"] = (call, _) => call.ErrorAsync(5, "gone", "{\n\"a\":\n[\n1\n]\r\n}");

        var reply = await flows.PostAsync("/f?stream=true");

        Assert.EndsWith("\n\n", reply.Body, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', reply.Body.TrimEnd('\n'));
    }
}
