using System.Net;
using System.Net.Sockets;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>What the verb <c>health</c> hears.</summary>
public sealed class HealthClientTests
{
    [Fact]
    public async Task Ask_SidecarRuns_GetsItsLines()
    {
        await using var sidecar = await RegisteredSidecar.StartAsync("--health", "127.0.0.1:0");
        using var health = sidecar.Sidecar.Health();
        await health.UntilAsync("/readyz", 200);
        var address = $"{sidecar.Sidecar.Services.GetRequiredService<HealthListener>().EndPoint}";

        var live = await AskUntilAnsweredAsync(address, Probe.Live);
        await sidecar.Sidecar.StopAsync();
        var ready = await AskUntilAnsweredAsync(address, Probe.Ready);

        Assert.True(live.IsGood);
        Assert.StartsWith("ok\nalive: yes, ", live.Text, StringComparison.Ordinal);
        Assert.False(ready.IsGood);
        Assert.StartsWith("not ready\nrunning: no, stopping\n", ready.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_AnotherServerSaysYesToEverything_IsNotFooled()
    {
        await using var other = await FakeManager.StartAsync();
        other.UpgradeStatus = 200;

        var answer = await AskUntilAnsweredAsync($"{other.Address.Host}:{other.Address.Port}", Probe.Ready);

        Assert.False(answer.IsGood);
        Assert.EndsWith("does not answer like a sidecar: is it the address of one (--health)?", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_NobodyAnswers_GivesUp()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var address = $"{silent.LocalEndpoint}";

        var answer = await AskAsync(address, Probe.Ready);

        Assert.Equal(new HealthAnswer(false, $"no answer from {address} within 2 s"), answer);
    }

    /// <summary>The client gives up after 2 s, which a busy machine may take.</summary>
    private static async Task<HealthAnswer> AskUntilAnsweredAsync(string address, Probe probe)
    {
        HealthAnswer answer;
        do
        {
            answer = await AskAsync(address, probe);
        }
        while (answer.Text.StartsWith("no answer", StringComparison.Ordinal));
        return answer;
    }

    private static Task<HealthAnswer> AskAsync(string address, Probe probe) =>
        HealthClient.AskAsync(HealthAddress.Parse(address).Value!, SettingSource.Flag("--health"), probe, CancellationToken.None);
}
