using System.Net;
using System.Net.Sockets;
using System.Text;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.Health;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>The client of the verb <c>health</c>.</summary>
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

    [Theory]
    [InlineData("", "closed the connection without an answer: it has too many callers, or is no sidecar's (--health)")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nok\napplication: \u001b[2J\a\n", "ok\napplication: ?[2J?")]
    public async Task Ask_OddAnswer_IsMadeSenseOf(string answer, string text)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var asking = AskUntilAnsweredAsync($"{listener.LocalEndpoint}", Probe.Ready);
        while (!asking.IsCompleted)
        {
            var accepting = listener.AcceptSocketAsync(TestContext.Current.CancellationToken).AsTask();
            if (await Task.WhenAny(accepting, asking) == asking)
            {
                break;
            }

            using var peer = await accepting;
            await peer.ReceiveAsync(new byte[1024], TestContext.Current.CancellationToken);
            await peer.SendAsync(Encoding.UTF8.GetBytes(answer), TestContext.Current.CancellationToken);
        }

        Assert.EndsWith(text, (await asking).Text, StringComparison.Ordinal);
    }

    /// <summary>The client times out after 2 s, which a busy machine may exceed.</summary>
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
