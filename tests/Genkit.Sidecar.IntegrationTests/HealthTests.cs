using Genkit.Sidecar.IntegrationTests.Infrastructure;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>The answers of the probes in each state of the sidecar.</summary>
public sealed class HealthTests
{
    private static readonly string[] s_health = ["--health", "127.0.0.1:0"];

    [Fact]
    public async Task Probes_NeitherManagerNorApplication_IsAliveAndStartedAndNotReady()
    {
        var elsewhere = await FakeManager.StartAsync();
        await elsewhere.DisposeAsync();
        await using var sidecar = await SidecarFixture.StartAsync(elsewhere.Address, "http://127.0.0.1:1", s_health);
        using var health = sidecar.Health();
        await sidecar.Log.WaitForAsync("ManagerConnectFailed");

        Assert.Equal((200, "ok\n"), await health.GetAsync("/healthz"));
        Assert.Equal((200, "ok\n"), await health.GetAsync("/startupz"));
        Assert.Equal((503, "not ready\n"), await health.GetAsync("/readyz"));
        var verbose = (await health.GetAsync("/readyz?verbose")).Text;
        Assert.Contains($"manager: no, Cannot reach the manager at {elsewhere.Address}", verbose, StringComparison.Ordinal);
        Assert.Contains("application: no, The application cannot be reached", verbose, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_BeforeTheManagerAnswers_IsNot()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, s_health);
        using var health = sidecar.Health();
        var peer = await manager.AcceptAsync();

        var before = await health.GetAsync("/readyz?verbose");
        await peer.AcceptRegistrationAsync();
        await sidecar.Log.WaitForAsync("ManagerRegistered");
        var after = await health.UntilAsync("/readyz?verbose", 200);

        Assert.Equal(503, before.Status);
        Assert.Matches("(?m)^manager: no, (not connected|connected to .*, not registered) yet$", before.Text);
        Assert.Matches(
            $$"""
            ^ok
            running: yes, not stopping
            manager: yes, registered with {{manager.Address}} as .+ since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ
            application: yes, answers at {{application.Address}}
            active runs: 0
            version: \d+\.\d+\.\d+
            $
            """,
            after);
    }

    [Fact]
    public async Task Address_OfTheManagerHasAQuery_IsShownWithoutIt()
    {
        await using var application = await FakeApplication.StartAsync();
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(
            new Uri($"{manager.Address}?token=s3cret"), application.Address, [.. s_health, "--reconnect-interval", "20ms"]);
        using var health = sidecar.Health();

        await manager.AcceptRegisteredAsync();
        Assert.Equal($"{manager.Address}", (await sidecar.Log.WaitForAsync("ManagerRegistered"))["Address"]);
        var registered = (await health.GetAsync("/readyz?verbose")).Text;
        await manager.DisposeAsync();
        Assert.Contains($"{manager.Address}", (await sidecar.Log.WaitForAsync("ManagerConnectFailed"))["Failure"], StringComparison.Ordinal);
        var away = (await health.GetAsync("/readyz?verbose")).Text;

        Assert.Contains($"manager: yes, registered with {manager.Address} as", registered, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", string.Join('\n', [registered, away, .. sidecar.Log.Events]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_ApplicationGoesAndComesBack_FollowsIt()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        using var health = sidecar.Sidecar.Health();
        await health.UntilAsync("/readyz", 200);

        await sidecar.Application.DisposeAsync();
        var away = await health.UntilAsync("/readyz?verbose", 503);
        await using var back = await FakeApplication.StartAsync(sidecar.Application.Address);
        await health.UntilAsync("/readyz", 200);

        Assert.Contains("manager: yes", away, StringComparison.Ordinal);
        Assert.Contains("application: no, The application cannot be reached", away, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_ApplicationHangs_IsNotAndIsToldWithoutWaitingForIt()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        sidecar.Application.Methods["ListActions"] = call => call.WaitForCancelAsync();
        using var health = sidecar.Sidecar.Health();

        var hanging = await health.UntilAsync("/readyz?verbose", 503);

        Assert.Contains("application: no, no answer to ListActions within 1.5 s", hanging, StringComparison.Ordinal);
        Assert.Equal(200, (await health.GetAsync("/healthz")).Status);
    }

    [Fact]
    public async Task Ready_ManagerGoesAndComesBack_FollowsIt()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, "--reconnect-interval", "20ms"]);
        using var health = sidecar.Sidecar.Health();
        await health.UntilAsync("/readyz", 200);

        sidecar.Peer.Cut();
        var peer = await sidecar.Manager.AcceptAsync();
        var away = await health.GetAsync("/readyz?verbose");
        await peer.AcceptRegistrationAsync();
        await sidecar.Log.WaitForAsync("ManagerRegistered", times: 2);

        Assert.Equal(503, away.Status);
        Assert.Contains("manager: no, ", away.Text, StringComparison.Ordinal);
        await health.UntilAsync("/readyz", 200);
    }

    [Fact]
    public async Task Probes_Stopping_IsAliveAndNotReady()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        using var health = sidecar.Sidecar.Health();
        await health.UntilAsync("/readyz", 200);

        await sidecar.Sidecar.StopAsync();

        Assert.Equal((200, "ok\n"), await health.GetAsync("/healthz"));
        Assert.Equal((200, "ok\n"), await health.GetAsync("/startupz"));
        var (status, text) = await health.GetAsync("/readyz?verbose");
        Assert.Equal(503, status);
        Assert.Contains("running: no, stopping\n", text, StringComparison.Ordinal);
        Assert.Contains("application: no, not asked any more\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_RunsAreDrained_IsNot()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync([.. s_health, "--drain-timeout", "10m"]);
        var release = new TaskCompletionSource();
        sidecar.Application.Actions["/flow/x"] = async (call, _) =>
        {
            await release.Task;
            await call.ResultAsync("1");
        };
        using var health = sidecar.Sidecar.Health();
        await sidecar.Peer.SendAsync(Requests.Run("1", "/flow/x"));
        await sidecar.Peer.ReceiveAsync();

        var stopping = sidecar.Sidecar.StopAsync();
        await sidecar.Log.WaitForAsync("RunsDraining");
        var draining = await health.GetAsync("/readyz?verbose");
        release.SetResult();
        await stopping;

        Assert.Equal(503, draining.Status);
        Assert.Contains("running: no, stopping\n", draining.Text, StringComparison.Ordinal);
        Assert.Contains("active runs: 1\n", draining.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("localhost:9466", true)]
    [InlineData("127.0.0.1:9466", true)]
    [InlineData("[::1]:9466", true)]
    [InlineData("rebound.example:9466", false)]
    [InlineData("192.0.2.1", false)]
    public async Task Verbose_AnotherHostIsMeant_IsIgnored(string host, bool isTold)
    {
        await using var sidecar = await RegisteredSidecar.StartAsync(s_health);
        using var health = sidecar.Sidecar.Health();

        var (_, text) = await health.GetAsync("/healthz?verbose", host);

        Assert.Equal(isTold, text.Contains("version:", StringComparison.Ordinal));
        Assert.StartsWith("ok\n", text, StringComparison.Ordinal);
    }
}
