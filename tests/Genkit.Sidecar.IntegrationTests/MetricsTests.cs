using System.Net;
using System.Text;
using Genkit.Sidecar.Endpoints.Health;
using Genkit.Sidecar.Http;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>The metrics at <c>/metrics</c>, and which clients may read them.</summary>
public sealed class MetricsTests
{
    private const string Duration = "genkit_sidecar_run_duration_seconds_count";

    private static readonly string[] s_health = ["--health", "127.0.0.1:0"];

    [Fact]
    public async Task Metrics_RunsOfEveryKind_AreCounted()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        sidecar.Application.Actions["/flow/plain"] = (call, _) => call.ResultAsync("12345");
        sidecar.Application.Actions["/user-4711/stream"] = async (call, _) =>
        {
            await call.ChunkAsync("1");
            await call.ChunkAsync("22");
            await call.ResultAsync("333");
        };
        sidecar.Application.Actions["/tool/fail"] = (call, _) => call.ErrorAsync(9, "not now");
        using var health = sidecar.Sidecar.Health();

        await sidecar.Peer.AskAsync(Requests.Run("1", "/flow/plain", "\"abc\""));
        await sidecar.Peer.AskAsync(Requests.Run("2", "/flow/plain"));
        await sidecar.Peer.AskAsync(Requests.Run("3", "/user-4711/stream", stream: true));
        await sidecar.Peer.AskAsync(Requests.Run("4", "/tool/fail"));
        var metrics = await health.MetricsAsync();

        Assert.Equal(2, metrics[$$"""{{Duration}}{genkit_action_type="flow",rpc_grpc_status_code="OK"}"""]);
        Assert.Equal(1, metrics[$$"""{{Duration}}{genkit_action_type="other",rpc_grpc_status_code="OK"}"""]);
        Assert.Equal(1, metrics[$$"""{{Duration}}{genkit_action_type="tool",rpc_grpc_status_code="FAILED_PRECONDITION"}"""]);
        Assert.Equal(0, metrics["genkit_sidecar_run_active"]);
        Assert.Equal(5, metrics["genkit_sidecar_run_input_bytes_total"]);
        Assert.Equal(0, metrics["genkit_sidecar_run_input_chunks_total"]);
        Assert.Equal(5 + 5 + 1 + 2 + 3, metrics["genkit_sidecar_run_output_bytes_total"]);
        Assert.Equal(2, metrics["genkit_sidecar_run_output_chunks_total"]);
        Assert.DoesNotContain(metrics.Series, series => series.Contains("4711", StringComparison.Ordinal) || series.Contains("plain", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_RunIsCancelled_IsActiveUntilThen()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        sidecar.Application.Actions["/flow/x"] = (call, _) => call.WaitForCancelAsync();
        using var health = sidecar.Sidecar.Health();
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        var traceId = (await sidecar.Peer.ReceiveAsync()).Text("params", "state", "traceId");

        var during = await health.MetricsAsync();
        var verbose = (await health.GetAsync("/healthz?verbose")).Text;
        await sidecar.Peer.SendAsync(Requests.Cancel("2", traceId));
        await sidecar.Peer.ReceiveUntilAnswerAsync("1");
        var after = await health.MetricsAsync();

        Assert.Equal(1, during["genkit_sidecar_run_active"]);
        Assert.Contains("active runs: 1\n", verbose, StringComparison.Ordinal);
        Assert.Equal(0, after["genkit_sidecar_run_active"]);
        Assert.Equal(1, after[$$"""{{Duration}}{genkit_action_type="flow",rpc_grpc_status_code="CANCELLED"}"""]);
    }

    [Fact]
    public async Task Metrics_StreamedInput_IsCounted()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            while (await call.ReadChunkAsync() is not null)
            {
            }

            await call.ResultAsync("1");
        };
        using var health = sidecar.Sidecar.Health();

        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", streamInput: true));
        await sidecar.Peer.SendAsync(Requests.Chunk("1", "1"));
        await sidecar.Peer.SendAsync(Requests.Chunk("1", "22"));
        await sidecar.Peer.SendAsync(Requests.EndInput("1"));
        await sidecar.Peer.ReceiveUntilAnswerAsync("1");

        await health.UntilMetricAsync("genkit_sidecar_run_input_chunks_total", 2);
        await health.UntilMetricAsync("genkit_sidecar_run_input_bytes_total", 3);
    }

    [Fact]
    public async Task Metrics_Manager_HaveMessagesConnectionsAndWhetherItIsThere()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, "--reconnect-interval", "20ms"]);
        using var health = sidecar.Sidecar.Health();
        await sidecar.Log.WaitForAsync("ManagerRegistered");
        await sidecar.Peer.AssertAnswersAsync();
        await health.UntilMetricAsync("""genkit_sidecar_manager_messages_total{network_io_direction="receive"}""", 2);
        await health.UntilMetricAsync("""genkit_sidecar_manager_messages_total{network_io_direction="transmit"}""", 2);
        var before = await health.MetricsAsync();

        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptAsync();
        await health.UntilMetricAsync("genkit_sidecar_manager_reconnects_total", 1);
        var between = await health.MetricsAsync();
        await peer.AcceptRegistrationAsync();
        await sidecar.Log.WaitForAsync("ManagerRegistered", times: 2);
        var after = await health.MetricsAsync();

        Assert.Equal(0, before["genkit_sidecar_manager_reconnects_total"]);
        Assert.Equal([1, 0, 1], new[] { before, between, after }.Select(metrics => metrics["genkit_sidecar_manager_registered"]));
        Assert.Equal(0, after["genkit_sidecar_manager_queue_length"]);
        Assert.True(after["process_resident_memory_bytes"] > 1_000_000);
        Assert.True(after["process_start_time_seconds"] > 1_700_000_000);
        Assert.True(after["process_cpu_seconds_total"] > 0);
        Assert.Single(after.Series, series => series.StartsWith("genkit_sidecar_build_info{version=\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_ManagerIsAway_ShowWhatWaitsForIt()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, "--reconnect-interval", "10m", "--reconnect-max-interval", "10m"]);
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await release.Task;
            await call.ChunkAsync("1");
            await call.ResultAsync($"\"{new string('x', 1_000)}\"");
        };
        using var health = sidecar.Sidecar.Health();
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x", stream: true));
        await sidecar.Peer.ReceiveAsync();
        sidecar.Peer.Cut();
        await sidecar.Log.WaitForAsync("RunsHeld");

        release.SetResult();
        await health.UntilMetricAsync("genkit_sidecar_manager_queue_length", 2);

        Assert.InRange((await health.MetricsAsync())["genkit_sidecar_manager_queue_size_bytes"]!.Value, 1_003, 2_000);
    }

    [Fact]
    public async Task Metrics_ApplicationIsAway_SayItIsDown()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        using var health = sidecar.Sidecar.Health();
        await health.UntilMetricAsync("genkit_sidecar_application_up", 1);

        await sidecar.Application.DisposeAsync();

        await health.UntilMetricAsync("genkit_sidecar_application_up", 0);
    }

    [Fact]
    public async Task Metrics_TwoSidecarsInAProcess_DoNotMix()
    {
        await using var one = await RegisteredSidecar.StartAsync(s_health);
        await using var other = await RegisteredSidecar.StartAsync(s_health);
        one.Application.Actions["/flow/x"] = (call, _) => call.ResultAsync("1");

        await one.Peer.AskAsync(Requests.Run("1", "/flow/x"));

        using var health = one.Sidecar.Health();
        using var otherHealth = other.Sidecar.Health();
        Assert.Equal(1, (await health.MetricsAsync())["genkit_sidecar_run_output_bytes_total"]);
        Assert.Equal(0, (await otherHealth.MetricsAsync())["genkit_sidecar_run_output_bytes_total"]);
    }

    [Theory]
    [InlineData(null, null, 403)]
    [InlineData(null, "Bearer s3cret", 403)]
    [InlineData("s3cret", null, 401)]
    [InlineData("s3cret", "Bearer S3cret", 401)]
    [InlineData("s3cret", "Bearer s3cret2", 401)]
    [InlineData("s3cret", "Bearer", 401)]
    [InlineData("s3cret", "Basic s3cret", 401)]
    [InlineData("s3cret", "Bearer s3cret", 200)]
    [InlineData("s3cret", "bearer s3cret", 200)]
    public async Task Metrics_CallerOnAnotherMachine_NeedsTheToken(string? token, string? authorization, int status)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, .. (string[])(token is null ? [] : ["--metrics-token", token])]);

        var (found, text, response) = await FromAfarAsync(sidecar, "/metrics", authorization);

        Assert.Equal(status, found);
        Assert.Equal(status == 401 ? "Bearer" : "", response.Headers.WWWAuthenticate.ToString());
        Assert.Equal(status == 200, text.Contains("genkit_sidecar_build_info", StringComparison.Ordinal));
        Assert.Equal(status != 200, text.Contains("--metrics-token", StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/healthz?verbose", "192.0.2.1")]
    [InlineData("/startupz?verbose", "::ffff:192.0.2.1")]
    [InlineData("/readyz?verbose", "2001:db8::1")]
    public async Task Probe_CallerOnAnotherMachine_GetsOneWordWithoutAToken(string path, string peer)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, "--metrics-token", "s3cret"]);

        var (status, text, _) = await FromAfarAsync(sidecar, path, null, peer);

        Assert.Equal(status == 200 ? "ok\n" : "not ready\n", text);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1.2.3")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task Metrics_CallerOnThisMachine_NeedsNoToken(string peer)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, "--metrics-token", "s3cret"]);

        var (status, _, _) = await FromAfarAsync(sidecar, "/metrics", null, peer);

        Assert.Equal(200, status);
    }

    [Fact]
    public async Task Metrics_CallerIsNotKnown_NeedsTheToken()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, "--metrics-token", "s3cret"]);

        var (status, _, _) = await FromAfarAsync(sidecar, "/metrics", null, null);

        Assert.Equal(401, status);
    }

    /// <summary>Sends a request as a client with an address of another machine, or with none.</summary>
    private static async Task<(int Status, string Text, HttpResponse Response)> FromAfarAsync(
        RegisteredSidecar sidecar, string path, string? authorization, string? peer = "192.0.2.1")
    {
        var question = path.IndexOf('?', StringComparison.Ordinal);
        var body = new MemoryStream();
        await using var pipeline = WebPipeline.Create(NullLoggerFactory.Instance, addServices: null, sidecar.Sidecar.Services.GetRequiredService<HealthEndpoints>().Map);
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = peer is null ? null : IPAddress.Parse(peer) }, Response = { Body = body } };
        context.Request.Method = "GET";
        context.Request.Host = new HostString("localhost");
        context.Request.Path = question < 0 ? path : path[..question];
        context.Request.QueryString = new QueryString(question < 0 ? "" : path[question..]);
        context.Request.Headers.Authorization = authorization;
        await pipeline.Handle(context);
        return (context.Response.StatusCode, Encoding.UTF8.GetString(body.ToArray()), context.Response);
    }
}
